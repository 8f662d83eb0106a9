import { z } from 'zod';
import { type BootReport, bootReportSchema } from '../container/boot-report.ts';
import { checkResultSchema } from '../filesystems/file-system.ts';
import { requirePrograms, requireRoot } from '../host/capabilities.ts';
import { type ExitCode, exitCode, RescueError, usageError } from '../host/rescue-error.ts';
import { renderBoot, renderEnd } from '../output/boot-report.ts';
import { writeCommandOutput } from '../output/command-output.ts';
import type { RehearsalRecord } from '../rehearsal/record.ts';
import type { Wish } from '../rescue/boot-plan.ts';
import { systemTitle } from '../rescue/choose-system.ts';
import { hookMode } from '../rescue/hook-phases.ts';
import { plannedMountSchema } from '../rescue/mount-plan.ts';
import { withRehearsal } from '../rescue/rehearse.ts';
import {
  type RescueOptions,
  type RescueResult,
  rescuePrograms,
  rescueSystem,
} from '../rescue/rescue-job.ts';
import {
  type ContainerWishes,
  type RunHandlers,
  requireContainerWishes,
} from '../rescue/run-system.ts';
import type { TeardownReport } from '../rescue/teardown.ts';
import { type SessionOutcome, teardownFailure, withSession } from '../rescue/with-session.ts';
import { type CommandContext, parseOptions } from './context.ts';
import { proofWishSchema } from './proof-wish.ts';
import { rehearsalProofs } from './prove.ts';
import {
  decideFrom,
  rehearsalDocument,
  rehearsalSchema,
  rehearseSchema,
  renderOutcome,
  requireRehearse,
} from './rehearse-options.ts';
import { rescueDryRun } from './rescue-dry-run.ts';
import {
  type ContainerArguments,
  containerSchema,
  parseBind,
  parseNetwork,
  parsePort,
  parseSetenv,
  requireConsistent,
} from './rescue-options.ts';
import { stackAnswers } from './stack-answers.ts';
import { lastResortsOf, repairSchema, targetSchema } from './target-arguments.ts';

export const rescueDocumentSchema = z.object({
  schemaVersion: z.literal(1),
  session: z.string(),
  /** Pretty name and host name of the system. */
  system: z.string(),
  reachedTarget: bootReportSchema.shape.reachedTarget,
  bootSeconds: bootReportSchema.shape.bootSeconds,
  exec: bootReportSchema.shape.exec,
  cleanedUp: z.boolean(),
  boot: bootReportSchema,
  checks: z.array(checkResultSchema).readonly(),
  mounts: z.array(plannedMountSchema).readonly(),
  notMounted: z.array(plannedMountSchema).readonly(),
  /** What was tried on a layer and what became of it; null without --rehearse. */
  rehearsal: rehearsalSchema.nullable(),
  /** Why the job failed although the system was booted; null when it did not. */
  error: z.object({ code: z.string(), message: z.string(), hint: z.string() }).nullable(),
});

const schema = targetSchema
  .extend(repairSchema.shape)
  .extend(containerSchema.omit({ unit: true }).shape)
  .extend(rehearseSchema.shape)
  .extend({ auto: z.boolean().default(false), proof: proofWishSchema.optional() })
  .extend({ target: containerSchema.shape.unit, skipCheck: z.boolean().default(false) });

type Arguments = z.infer<typeof schema>;

/** A word list as a shell would split it when nothing in it is special to a shell. */
const programWords = (text: string): readonly string[] =>
  /^[\w@%+=:,./ -]+$/.test(text) ? text.trim().split(/ +/) : ['/bin/sh', '-c', text];

const readScript = async (context: CommandContext, path: string): Promise<string> => {
  const text = await context.host.files.readText(path).catch(() => null);
  if (text === null) throw usageError(`--script ${path}: the file cannot be read.`);
  return text;
};

const wishOf = async (given: Arguments, context: CommandContext): Promise<Wish> => {
  if (given.exec !== undefined) return { kind: 'command', text: given.exec };
  if (given.script !== undefined) {
    return { kind: 'command', text: await readScript(context, given.script) };
  }
  if (given.asPid2 !== undefined) {
    // Without a terminal the program's output comes back like that of a command.
    return context.interactive
      ? { kind: 'program', words: programWords(given.asPid2) }
      : { kind: 'pid2-command', text: given.asPid2 };
  }
  return given.ownInit ? { kind: 'own-init' } : { kind: 'shell' };
};

const isCommand = (wish: Wish): boolean => wish.kind === 'command' || wish.kind === 'pid2-command';

/** A shell needs a terminal; under --json its output would mix with the document. */
const requireTerminal = (wish: Wish, context: CommandContext): void => {
  const hasTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  if (isCommand(wish) || (hasTerminal && !context.options.json)) return;
  throw usageError(
    'There is no terminal for a rescue shell here.',
    'Give --exec COMMAND or --script FILE to run in the booted system.',
  );
};

const bindSources = async (wishes: ContainerWishes, context: CommandContext): Promise<void> => {
  for (const { source } of wishes.binds) {
    if ((await context.host.files.statusFollowed(source)) === null) {
      throw usageError(`--bind ${source}: there is no such file or directory on this machine.`);
    }
  }
};

const containerWishes = (
  given: Arguments & ContainerArguments,
  wish: Wish,
  context: CommandContext,
): ContainerWishes => {
  const network = parseNetwork(given.network);
  requireConsistent({ ...given, unit: given.target }, network);
  return {
    machine: given.machine ?? null,
    network,
    ports: (given.port ?? []).map(parsePort),
    resolvConf: given.resolvConf ?? 'off',
    privateUsers: given.privateUsers,
    binds: [
      ...(given.bind ?? []).map((text) => parseBind(text, false)),
      ...(given.bindRo ?? []).map((text) => parseBind(text, true)),
    ],
    environment: (given.setenv ?? []).map(parseSetenv),
    memoryBytes: given.memory ?? null,
    tasks: given.tasks ?? null,
    keepJournal: given.journal,
    bootTimeoutSeconds: given.bootTimeout ?? 120,
    interactive: !isCommand(wish),
    verboseBoot: context.options.verbose,
  };
};

const rescueOptions = async (given: Arguments, context: CommandContext): Promise<RescueOptions> => {
  const lastResorts = lastResortsOf(given);
  if (given.ephemeral && given.privateUsers) {
    throw usageError(
      '--ephemeral and --private-users exclude each other.',
      'The kernel does not map the owners of an overlay.',
    );
  }
  if (given.ephemeral && given.repair) {
    throw usageError('--ephemeral keeps nothing, so there is nothing to --repair.');
  }
  requireRehearse(given);
  if (given.rehearse && (given.ephemeral || given.privateUsers)) {
    throw usageError('--rehearse goes neither with --ephemeral nor with --private-users.');
  }
  const wish = await wishOf(given, context);
  const container = containerWishes(given, wish, context);
  requireTerminal(wish, context);
  await bindSources(container, context);
  return {
    target: given.TARGET,
    withDisks: given.with,
    system: given.system ?? null,
    answers: await stackAnswers(given, context),
    mode: given.ephemeral ? 'ephemeral' : 'write',
    skipCheck: given.skipCheck,
    repair: given.repair,
    lastResorts,
    setuid: true,
    apart: given.privateUsers,
    wish,
    unit: given.target ?? 'rescue.target',
    container,
  };
};

/** What the process says with its exit code about a boot. */
const exitFor = (boot: BootReport, wish: Wish): ExitCode => {
  if (isCommand(wish)) {
    return boot.exec?.exitCode === 0 ? exitCode.done : exitCode.failed;
  }
  return boot.reachedTarget === false ? exitCode.failed : exitCode.done;
};

const handlersFor = ({ observer, options: { json } }: CommandContext): RunHandlers => ({
  onReached: (seconds, unit) =>
    observer.note(
      unit === null
        ? `Started in ${seconds.toFixed(1)} s, without an init of the system`
        : `Reached ${unit} in ${seconds.toFixed(1)} s`,
    ),
  onOutput: (stream, chunk) => {
    if (!json) writeCommandOutput(stream, chunk);
  },
  onReboot: () => observer.note('The system asked for a reboot: booting it again.'),
});

type Done = { readonly rescue: RescueResult; readonly record: RehearsalRecord | null };

const rescueOnDisk = (
  options: RescueOptions,
  context: CommandContext,
): Promise<SessionOutcome<Done>> =>
  withSession(context.session('rescue', options.target, hookMode(options.mode)), async (open) => {
    const rescue = await rescueSystem(open, options, context.observer, handlersFor(context));
    return { result: { rescue, record: null }, keepUp: false };
  });

const notRepaired =
  'On this layer file systems are checked and not repaired: that needs device-mapper.';

/** The same job on a layer. */
const rehearseRescue = async (
  given: Arguments,
  options: RescueOptions,
  context: CommandContext,
): Promise<SessionOutcome<Done>> => {
  const { target, withDisks, system, answers, repair } = options;
  const { observer } = context;
  const outcome = await withRehearsal<RescueResult>(context.session('rescue --rehearse', target), {
    request: { target, withDisks, system, answers },
    observer,
    work: async (session, { means, ...place }) => {
      if (repair && means === 'overlay') observer.warn(notRepaired);
      const wishes = { ...options, ...place, repair: repair && means === 'snapshot' };
      const value = await rescueSystem(session, wishes, observer, handlersFor(context));
      const succeeded = exitFor(value.boot, options.wish) === exitCode.done;
      return { value, system: value.system, mounted: value.mounted, succeeded };
    },
    ...rehearsalProofs(context, given.proof ?? 'auto'),
    decide: decideFrom(given, context),
  });
  const { value, record } = outcome.result;
  return { ...outcome, result: { rescue: value, record } };
};

const insteadOfAuto = ['exec', 'script', 'asPid2', 'ownInit', 'ephemeral', 'rehearse'] as const;

/** Without questions, and without a shell: the words that ask for one go elsewhere. */
const auto = async (given: Arguments, context: CommandContext): Promise<ExitCode> => {
  const other = insteadOfAuto.find((name) => given[name] !== undefined && given[name] !== false);
  if (other !== undefined) throw usageError(`--auto and --${other} exclude each other.`);
  const { rescueAuto } = await import('./rescue-auto.ts');
  return rescueAuto(context, {
    target: given.TARGET,
    withDisks: given.with,
    system: given.system ?? null,
    answers: await stackAnswers(given, context),
    lastResorts: lastResortsOf({ ...given, repair: true }),
    proof: given.proof ?? 'auto',
  });
};

/** `rescuekit rescue TARGET`: the main job. */
export const rescueHandler = async (args: unknown, context: CommandContext): Promise<ExitCode> => {
  const given = parseOptions(schema, args);
  if (given.auto) return auto(given, context);
  if (given.proof !== undefined && !given.rehearse) {
    throw usageError('--proof goes with --auto and with --rehearse.');
  }
  const options = await rescueOptions(given, context);
  requireRoot('rescue');
  await requireContainerWishes(context.host, options.container);
  await requirePrograms(context.host, rescuePrograms);
  if (context.options.dryRun) return rescueDryRun(options, context, given.rehearse);
  const { json } = context.options;
  const { result, session, teardown } = given.rehearse
    ? await rehearseRescue(given, options, context)
    : await rescueOnDisk(options, context);
  const { boot, checks, mounted, system } = result.rescue;
  const { record } = result;
  const cleanedUp = teardown.left.length === 0;
  const failure = failureOf(boot, options, teardown);
  context.printJson({
    schemaVersion: 1,
    session,
    system: systemTitle(system),
    reachedTarget: boot.reachedTarget,
    bootSeconds: boot.bootSeconds,
    exec: boot.exec,
    cleanedUp,
    boot,
    checks,
    mounts: mounted.mounted,
    notMounted: mounted.notMounted,
    rehearsal: record === null ? null : rehearsalDocument(record),
    error:
      failure === null
        ? null
        : { code: failure.code, message: failure.message, hint: failure.hint },
  });
  // One document on standard output: it holds the evidence and the error.
  if (json && failure !== null) return failure.exit;
  if (!json) {
    process.stderr.write(
      renderBoot(boot, { unit: options.unit, journal: given.journal }, context.out),
    );
    process.stderr.write(renderEnd(given.TARGET, session, cleanedUp));
    if (record !== null) process.stderr.write(renderOutcome(record, session));
  }
  if (failure !== null) throw failure;
  return exitFor(boot, options.wish);
};

const failureOf = (
  boot: BootReport,
  { wish, unit }: RescueOptions,
  teardown: TeardownReport,
): RescueError | null => {
  const failure = teardownFailure(teardown);
  if (failure !== null) return failure;
  return boot.exec === null && isCommand(wish) ? notRun(boot, unit) : null;
};

const whyNotRun = (boot: BootReport, unit: string): string => {
  if (boot.timedOut) return `${unit} was not reached in time, the command was not run.`;
  return boot.reachedTarget === false
    ? `${unit} was not reached, the command was not run.`
    : 'The system ended before the command did, so the command has no exit status.';
};

const notRun = (boot: BootReport, unit: string): RescueError =>
  new RescueError({
    code: boot.timedOut ? 'BOOT_TIMEOUT' : 'BOOT_FAILED',
    message: whyNotRun(boot, unit),
    hint: 'Look at the failed units and the last lines of the console above, or use --as-pid2 for a program without an init.',
  });
