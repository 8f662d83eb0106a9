import { z } from 'zod';
import { checkResultSchema } from '../filesystems/file-system.ts';
import { requireRoot } from '../host/capabilities.ts';
import { type ExitCode, exitCode, usageError } from '../host/rescue-error.ts';
import { checkLines, checkTargetsOf } from '../rescue/check-system.ts';
import { systemTitle } from '../rescue/choose-system.ts';
import type { HookStage } from '../rescue/hook-input.ts';
import { hookMode, stagesBetween } from '../rescue/hook-phases.ts';
import { hookLines } from '../rescue/hooks.ts';
import { mountLines } from '../rescue/mount-lines.ts';
import { plannedMountSchema } from '../rescue/mount-plan.ts';
import { stackLines } from '../rescue/open-stack.ts';
import { findSystem, prepareSystem } from '../rescue/rescue-job.ts';
import type { StackAnswers } from '../rescue/stack-answers.ts';
import { requireAllDown, withSession } from '../rescue/with-session.ts';
import { type CommandContext, parseOptions } from './context.ts';
import { printCommands } from './dry-run.ts';
import { stackAnswers } from './stack-answers.ts';
import { lastResortsOf, repairSchema, targetSchema } from './target-arguments.ts';

export const mountDocumentSchema = z.object({
  schemaVersion: z.literal(1),
  session: z.string(),
  /** Host directory of the system's root. */
  root: z.string(),
  mounts: z.array(plannedMountSchema).readonly(),
  notMounted: z.array(plannedMountSchema).readonly(),
  checks: z.array(checkResultSchema).readonly(),
});

const schema = targetSchema.extend(repairSchema.shape).extend({
  readOnly: z.boolean().default(false),
  skipCheck: z.boolean().default(false),
});

type Arguments = z.infer<typeof schema>;

const findOptions = (given: Arguments, mode: 'write' | 'read-only', answers: StackAnswers) => ({
  target: given.TARGET,
  withDisks: given.with,
  system: given.system ?? null,
  mode,
  answers,
});

const dryRun = async (
  given: Arguments,
  answers: StackAnswers,
  context: CommandContext,
): Promise<ExitCode> => {
  const { teardown } = await withSession(
    context.session('mount --dry-run', given.TARGET),
    async (session) => {
      const { system, opened } = await findSystem(
        session,
        findOptions(given, 'read-only', answers),
        context.observer,
      );
      const checks = given.skipCheck ? [] : checkLines(checkTargetsOf(system), given.repair);
      const mode = given.readOnly ? 'read-only' : 'write';
      const hooks = (first: HookStage, last: HookStage) =>
        hookLines(session.host, context.hooks, stagesBetween(first, last));
      printCommands(context, [
        ...(await hooks('before-probe', 'before-activate')),
        ...stackLines(opened, given.readOnly ? 'read-only' : 'read-write'),
        ...(await hooks('after-activate', 'after-activate')),
        ...(given.skipCheck ? [] : await hooks('before-check', 'before-check')),
        ...checks,
        ...(given.skipCheck ? [] : await hooks('after-check', 'after-check')),
        ...(await hooks('before-mount', 'before-mount')),
        ...mountLines(system, mode, `${session.runDirectory}/root`),
        ...(await hooks('after-mount', 'after-mount')),
      ]);
      return { result: null, keepUp: false };
    },
  );
  requireAllDown(teardown);
  return exitCode.done;
};

/** `rescuekit mount TARGET`: stays up until cleanup. */
export const mountHandler = async (args: unknown, context: CommandContext): Promise<ExitCode> => {
  const given = parseOptions(schema, args);
  const lastResorts = lastResortsOf(given);
  if (given.readOnly && given.repair)
    throw usageError('--read-only and --repair exclude each other.');
  requireRoot('mount');
  const answers = await stackAnswers(given, context);
  if (context.options.dryRun) return dryRun(given, answers, context);
  const mode = given.readOnly ? 'read-only' : 'write';
  const { result, session } = await withSession(
    context.session('mount', given.TARGET, hookMode(mode)),
    async (open) => {
      const { skipCheck, repair } = given;
      const options = {
        ...findOptions(given, mode, answers),
        skipCheck,
        repair,
        lastResorts,
        setuid: false,
        apart: false,
      };
      const prepared = await prepareSystem(open, options, context.observer);
      return { result: prepared, keepUp: true };
    },
  );
  const { mounted, checks, system } = result;
  context.printJson({
    schemaVersion: 1,
    session,
    root: mounted.root,
    mounts: mounted.mounted,
    notMounted: mounted.notMounted,
    checks,
  });
  context.print(
    `\n  ${systemTitle(system)} is mounted at ${mounted.root}\n  Take it down with: rescuekit cleanup ${session}\n`,
  );
  return exitCode.done;
};
