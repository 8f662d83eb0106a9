import { z } from 'zod';
import { type CheckResult, checkResultSchema } from '../filesystems/file-system.ts';
import { fileSystemFor } from '../filesystems/registry.ts';
import { requireRoot } from '../host/capabilities.ts';
import { type ExitCode, exitCode, RescueError, usageError } from '../host/rescue-error.ts';
import { renderChecks } from '../output/check-report.ts';
import { attachTarget } from '../rescue/attach.ts';
import {
  type CheckTarget,
  checkFileSystems,
  checkLines,
  checkTargetsOf,
  checkTargetsOn,
  lostTargetsOn,
} from '../rescue/check-system.ts';
import { chooseSystem, requireSystems } from '../rescue/choose-system.ts';
import { closedText } from '../rescue/closed-layers.ts';
import type { HookStage } from '../rescue/hook-input.ts';
import { stagesBetween } from '../rescue/hook-phases.ts';
import { hookLines } from '../rescue/hooks.ts';
import type { Observer } from '../rescue/observer.ts';
import { stackLines } from '../rescue/open-stack.ts';
import type { Session } from '../rescue/session.ts';
import type { StackAnswers } from '../rescue/stack-answers.ts';
import { surveyWhole } from '../rescue/survey-whole.ts';
import { resolveTarget } from '../rescue/target.ts';
import { requireAllDown, withSession } from '../rescue/with-session.ts';
import type { Opening } from '../storage/layer.ts';
import { type CommandContext, parseOptions } from './context.ts';
import { printCommands } from './dry-run.ts';
import { stackAnswers } from './stack-answers.ts';
import { lastResortsOf, repairSchema, targetSchema } from './target-arguments.ts';

export const checkDocumentSchema = z.object({
  schemaVersion: z.literal(1),
  session: z.string(),
  results: z.array(checkResultSchema).readonly(),
});

const schema = targetSchema.extend(repairSchema.shape);

type Arguments = z.infer<typeof schema>;

type ToCheck = {
  readonly targets: readonly CheckTarget[];
  /** Layers that were opened for them. */
  readonly opened: readonly Opening[];
};

/**
 * All file systems of the system; where none can be found (its root may be the damaged one) all
 * that are on the target.
 */
const targetsToCheck = async (
  session: Session,
  given: Arguments,
  repair: boolean,
  { answers, observer }: { readonly answers: StackAnswers; readonly observer: Observer },
): Promise<ToCheck> => {
  const target = await resolveTarget(session.host, given.TARGET);
  if (target.kind === 'directory') {
    throw usageError(
      `${given.TARGET} is a directory: file systems are checked while they are not mounted.`,
      'Name the disk, partition or image file.',
    );
  }
  const first = await attachTarget(session, target, {
    withDisks: given.with,
    mode: repair ? 'read-write' : 'read-only',
    answers,
  });
  const { attached, survey } = await surveyWhole(session, first, answers, 'enough');
  const { opened } = attached.stack;
  const lost = await lostTargetsOn(session, attached);
  const onDisk = [...checkTargetsOn(attached), ...lost];
  const nothing = onDisk.every(({ fsType }) => fileSystemFor(fsType) === null);
  if (attached.closed.length > 0 && nothing) requireSystems(attached, survey);
  for (const layer of attached.closed) observer.warn(closedText(layer));
  if (survey.systems.length === 0 || (given.system === undefined && survey.systems.length > 1)) {
    if (onDisk.length === 0) chooseSystem(attached, survey, null);
    return { targets: onDisk, opened };
  }
  const ofSystem = checkTargetsOf(chooseSystem(attached, survey, given.system ?? null));
  const unread = [...survey.problems, ...lost].map(({ device }) => device);
  // What could not even be looked at may well be a part of the system.
  const more = onDisk.filter(
    ({ device }) => unread.includes(device) && ofSystem.every((one) => one.device !== device),
  );
  return { targets: [...ofSystem, ...more], opened };
};

const exitFor = (results: readonly CheckResult[]): ExitCode =>
  results.some(({ outcome }) => outcome === 'damaged') ? exitCode.problems : exitCode.done;

/** `rescuekit check TARGET [--repair]`. Without --repair not one byte is written. */
export const checkHandler = async (args: unknown, context: CommandContext): Promise<ExitCode> => {
  const given = parseOptions(schema, args);
  const lastResorts = lastResortsOf(given);
  requireRoot('check');
  const answers = await stackAnswers(given, context);
  const { observer } = context;
  const { dryRun } = context.options;
  const repair = given.repair && !dryRun;
  const { result, session, teardown } = await withSession(
    context.session(
      repair ? 'check --repair' : 'check',
      given.TARGET,
      repair ? 'read-write' : 'read-only',
    ),
    async (open) => {
      const { targets, opened } = await targetsToCheck(open, given, repair, { answers, observer });
      const lines = checkLines(targets, given.repair);
      if (dryRun) {
        const hooks = (first: HookStage, last: HookStage) =>
          hookLines(open.host, context.hooks, stagesBetween(first, last));
        printCommands(context, [
          ...(await hooks('before-probe', 'before-activate')),
          ...stackLines(opened, given.repair ? 'read-write' : 'read-only'),
          ...(await hooks('after-activate', 'before-check')),
          ...lines,
          ...(await hooks('after-check', 'after-check')),
          ...(await hooks('before-deactivate', 'after-deactivate')),
        ]);
        return { result: [], keepUp: false };
      }
      const settings = { repair, lastResorts };
      const results = await checkFileSystems(open, targets, settings, context.observer);
      return { result: results, keepUp: false };
    },
  );
  requireAllDown(teardown);
  if (dryRun) return exitCode.done;
  if (result.length === 0) throw nothingToCheck(given.TARGET);
  context.printJson({ schemaVersion: 1, session, results: result });
  context.print(renderChecks(result, given.TARGET, context.out));
  return exitFor(result);
};

const nothingToCheck = (name: string): RescueError =>
  new RescueError({ code: 'NO_FILE_SYSTEM', message: `There is no file system on ${name}.` });
