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
import { requireAllDown, withSession } from '../rescue/with-session.ts';
import { proofSchema } from '../verification/proof.ts';
import { type CommandContext, parseOptions } from './context.ts';
import { printCommands } from './dry-run.ts';
import { stackAnswers } from './stack-answers.ts';
import { type VerifyArguments, verifySchema } from './verify-options.ts';

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

/** Seconds until the target must be reached: longer than a unit's own limit, which is 90. */
const defaultTimeout = 120;

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

const dryRun = async (
  given: VerifyArguments,
  options: FindOptions,
  context: CommandContext,
): Promise<ExitCode> => {
  const { teardown } = await withSession(
    context.session('verify --dry-run', given.TARGET),
    async (session) => {
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
      printCommands(context, [
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
      ]);
      return { result: null, keepUp: false };
    },
  );
  requireAllDown(teardown);
  return exitCode.done;
};

const show = (document: VerifyDocument, target: string, context: CommandContext): ExitCode => {
  context.printJson(document);
  context.print(renderProof(document, target, context.out));
  return document.boots ? exitCode.done : exitCode.problems;
};

/** `rescuekit verify TARGET`: watches it boot, on a layer that is thrown away. */
export const verifyHandler = async (args: unknown, context: CommandContext): Promise<ExitCode> => {
  const given = parseOptions(verifySchema, args);
  requireRoot('verify');
  await requirePrograms(context.host, rescuePrograms);
  const options = await findOptions(given, context);
  if (context.options.dryRun) return dryRun(given, options, context);
  const { result, session, teardown } = await withSession(
    context.session('verify', given.TARGET, 'ephemeral'),
    async (open) => {
      const proof = {
        target: given.target ?? null,
        timeoutSeconds: given.bootTimeout ?? defaultTimeout,
      };
      const { skipCheck } = given;
      const value = await verifyInContainer(
        open,
        { ...options, skipCheck },
        proof,
        context.observer,
      );
      return { result: value, keepUp: false };
    },
  );
  requireAllDown(teardown);
  const { proof, checks, mounted, system } = result;
  const { notMounted } = mounted;
  const head = { schemaVersion: 1, session, system: systemTitle(system) } as const;
  return show({ ...head, ...proof, checks, notMounted }, given.TARGET, context);
};
