import { z } from 'zod';
import { checkResultSchema } from '../filesystems/file-system.ts';
import { requirePrograms, requireRoot } from '../host/capabilities.ts';
import { type ExitCode, exitCode } from '../host/rescue-error.ts';
import { renderProof } from '../output/proof-report.ts';
import { checkLines, checkTargetsOf } from '../rescue/check-system.ts';
import { systemTitle } from '../rescue/choose-system.ts';
import type { HookStage } from '../rescue/hook-input.ts';
import { stagesBetween } from '../rescue/hook-phases.ts';
import { hookLines } from '../rescue/hooks.ts';
import { mountLines } from '../rescue/mount-lines.ts';
import { plannedMountSchema } from '../rescue/mount-plan.ts';
import { stackLines } from '../rescue/open-stack.ts';
import { verifyInContainer } from '../rescue/prove-in-container.ts';
import { type FindOptions, findSystem, rescuePrograms } from '../rescue/rescue-job.ts';
import type { Session } from '../rescue/session.ts';
import type { FoundSystem } from '../rescue/survey.ts';
import { type VmWishes, verifyInVm, vmPlan } from '../rescue/verify-vm.ts';
import { requireAllDown, withSession } from '../rescue/with-session.ts';
import { type Proof, proofSchema } from '../verification/proof.ts';
import { type CommandContext, parseOptions } from './context.ts';
import { printCommands } from './dry-run.ts';
import { defaultBootSeconds } from './prove.ts';
import { stackAnswers } from './stack-answers.ts';
import { requireOneProof, type VerifyArguments, verifySchema } from './verify-options.ts';

export const verifyDocumentSchema = z.object({
  schemaVersion: z.literal(1),
  session: z.string(),
  /** Pretty name and host name of the system. */
  system: z.string(),
  ...proofSchema.shape,
  /** What a check of the file systems found beforehand; empty when it was skipped. */
  checks: z.array(checkResultSchema).readonly(),
  /** What fstab names and could not be mounted: a container boots without it, a machine may not. */
  notMounted: z.array(plannedMountSchema).readonly(),
});

type VerifyDocument = z.infer<typeof verifyDocumentSchema>;

const vmPrograms = ['qemu-system-x86_64', 'qemu-img', 'mount', 'umount', 'lsblk', 'blkid'];

const findOptions = async (
  given: VerifyArguments,
  context: CommandContext,
): Promise<FindOptions> => ({
  target: given.TARGET,
  withDisks: given.with,
  system: given.system ?? null,
  mode: 'ephemeral',
  answers: await stackAnswers(given, context),
});

const vmWishes = (given: VerifyArguments, { paths }: CommandContext): VmWishes => ({
  bus: given.bus ?? null,
  firmware: given.firmware ?? 'auto',
  secureBoot: given.secureBoot,
  network: given.network,
  timeoutSeconds: given.bootTimeout ?? null,
  machineFacts: paths.machine,
});

const dryRun = async (
  given: VerifyArguments,
  options: FindOptions,
  context: CommandContext,
): Promise<ExitCode> => {
  const { teardown } = await withSession(
    context.session('verify --dry-run', given.TARGET),
    async (session) => {
      const lines = given.vm
        ? await vmPlan(session, options, vmWishes(given, context), context.observer)
        : await containerLines(session, given, options, context);
      printCommands(context, lines);
      return { result: null, keepUp: false };
    },
  );
  requireAllDown(teardown);
  return exitCode.done;
};

const containerLines = async (
  session: Session,
  given: VerifyArguments,
  options: FindOptions,
  context: CommandContext,
): Promise<readonly (readonly string[])[]> => {
  const look = { ...options, mode: 'read-only' } as const;
  const { system, opened } = await findSystem(session, look, context.observer);
  const root = `${session.runDirectory}/root`;
  const unit = given.target ?? 'default.target';
  const hooks = (first: HookStage, last: HookStage) =>
    hookLines(session.host, context.hooks, stagesBetween(first, last));
  const checks = [
    ...(await hooks('before-check', 'before-check')),
    ...checkLines(checkTargetsOf(system), false),
    ...(await hooks('after-check', 'after-check')),
  ];
  return [
    ...(await hooks('before-probe', 'before-activate')),
    ...stackLines(opened, 'read-only'),
    ...(await hooks('after-activate', 'after-activate')),
    ...(given.skipCheck ? [] : checks),
    ...(await hooks('before-mount', 'before-mount')),
    ...mountLines(system, 'ephemeral', root),
    ...(await hooks('after-mount', 'before-boot')),
    [
      'systemd-nspawn',
      `--directory=${root}`,
      '--private-network',
      '--boot',
      '--',
      `--unit=${unit}`,
    ],
    ...(await hooks('after-boot', 'after-deactivate')),
  ];
};

/** What either proof leaves to be told. */
type Verified = Pick<VerifyDocument, 'checks' | 'notMounted'> & {
  readonly system: FoundSystem;
  readonly proof: Proof;
};

const verifyByContainer = async (
  session: Session,
  given: VerifyArguments,
  options: FindOptions,
  { observer }: CommandContext,
): Promise<Verified> => {
  const { skipCheck, bootTimeout } = given;
  const wishes = {
    target: given.target ?? null,
    timeoutSeconds: bootTimeout ?? defaultBootSeconds,
  };
  const value = await verifyInContainer(session, { ...options, skipCheck }, wishes, observer);
  return { ...value, notMounted: value.mounted.notMounted };
};

const verifyByVm = async (
  session: Session,
  given: VerifyArguments,
  options: FindOptions,
  context: CommandContext,
): Promise<Verified> => {
  const wishes = vmWishes(given, context);
  return {
    ...(await verifyInVm(session, options, wishes, context.observer)),
    checks: [],
    notMounted: [],
  };
};

/** `rescuekit verify TARGET`: watches it boot, on a layer that is thrown away. */
export const verifyHandler = async (args: unknown, context: CommandContext): Promise<ExitCode> => {
  const given = parseOptions(verifySchema, args);
  requireOneProof(given);
  requireRoot('verify');
  await requirePrograms(context.host, given.vm ? vmPrograms : rescuePrograms);
  const options = await findOptions(given, context);
  if (context.options.dryRun) return dryRun(given, options, context);
  const mode = given.vm ? 'read-only' : 'ephemeral';
  const verify = given.vm ? verifyByVm : verifyByContainer;
  const { result, session, teardown } = await withSession(
    context.session('verify', given.TARGET, mode),
    async (open) => ({ result: await verify(open, given, options, context), keepUp: false }),
  );
  requireAllDown(teardown);
  const { proof, checks, notMounted, system } = result;
  const head = { schemaVersion: 1, session, system: systemTitle(system) } as const;
  const document: VerifyDocument = { ...head, ...proof, checks, notMounted };
  context.printJson(document);
  context.print(renderProof(proof, given.TARGET, context.out));
  // What could not be judged is no problem of the system.
  if (proof.notJudged !== null) return exitCode.failed;
  return proof.boots ? exitCode.done : exitCode.problems;
};
