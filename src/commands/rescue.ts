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
import { type RunHandlers, requireContainerWishes } from '../rescue/run-system.ts';
import type { TeardownReport } from '../rescue/teardown.ts';
import { type SessionOutcome, teardownFailure, withSession } from '../rescue/with-session.ts';
import { type CommandContext, parseOptions } from './context.ts';
import { rehearsalProofs } from './prove.ts';
import {
  decideFrom,
  isKeptBack,
  rehearsalDocument,
  rehearsalSchema,
  renderOutcome,
} from './rehearse-options.ts';
import { rescueDryRun } from './rescue-dry-run.ts';
import { isCommand, type RescueArguments, rescueOptions, rescueSchema } from './rescue-wishes.ts';
import { stackAnswers } from './stack-answers.ts';
import { lastResortsOf } from './target-arguments.ts';

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
  given: RescueArguments,
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
      const { system: rescued, mounted, checks } = value;
      return { value, system: rescued, mounted, checks, succeeded };
    },
    proofs: rehearsalProofs(context, {
      ...{ wish: given.proof ?? 'auto', answers },
      applied: () => [],
    }),
    decide: decideFrom(given, context),
  });
  const { value, record } = outcome.result;
  return { ...outcome, result: { rescue: value, record } };
};

const insteadOfAuto = ['exec', 'script', 'asPid2', 'ownInit', 'ephemeral', 'rehearse'] as const;

/** Without questions, and without a shell: the words that ask for one go elsewhere. */
const auto = async (given: RescueArguments, context: CommandContext): Promise<ExitCode> => {
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
  const given = parseOptions(rescueSchema, args);
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
  const code = exitFor(boot, options.wish);
  // All went well, and still its layer was not seen to boot.
  return code === exitCode.done && isKeptBack(record) ? exitCode.problems : code;
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
