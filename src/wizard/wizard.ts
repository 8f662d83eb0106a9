import type { CommandContext } from '../commands/context.ts';
import { readDevices } from '../devices/read-devices.ts';
import { requirePrograms } from '../host/capabilities.ts';
import { type ExitCode, exitCode, RescueError, usageError } from '../host/rescue-error.ts';
import { createStyle } from '../output/style.ts';
import { wrapText } from '../output/wrap.ts';
import { attachTarget, reopenForWriting } from '../rescue/attach.ts';
import { systemTitle } from '../rescue/choose-system.ts';
import { holdStill } from '../rescue/hold-still.ts';
import { rescuePrograms } from '../rescue/rescue-job.ts';
import type { Session } from '../rescue/session.ts';
import { surveyDirectory } from '../rescue/survey.ts';
import { surveyWhole } from '../rescue/survey-whole.ts';
import { resolveTarget, type Target } from '../rescue/target.ts';
import { requireAllDown, withSession } from '../rescue/with-session.ts';
import { describeStacks } from '../storage/describe-stacks.ts';
import type { LayerMode } from '../storage/layer.ts';
import { stackAnswersOf } from './ask-stack.ts';
import { chooseTarget } from './choose-disk.ts';
import { type Console, openConsole } from './console.ts';
import { renderEnding, renderStopped } from './ending.ts';
import { rehearseWalk } from './rehearse-walk.ts';
import type { Walk, WalkRecord } from './walk.ts';
import { walkThrough } from './walk-through.ts';

/** What is being worked on, for the last words after an interruption. */
type Place = { readonly target: Target; readonly session: string };

const openWalk = async (
  console: Console,
  session: Session,
  target: Target,
  mode: LayerMode,
): Promise<Walk> => {
  const writable = mode === 'read-write';
  if (target.kind === 'directory') {
    await session.lock(target.lockKey, 'exclusive');
    const allowWrites = async () => {};
    const look = async () => ({
      systems: [await surveyDirectory(session, target.path)],
      problems: [],
    });
    return { ...console, session, target, attached: null, writable: true, look, allowWrites };
  }
  const answers = stackAnswersOf(console);
  const attach = async () => {
    const options = { withDisks: [], mode, stackMode: 'read-only', answers } as const;
    const attached = await attachTarget(session, target, options);
    const release = await holdStill(session, attached);
    let allowed = false;
    const walk = {
      ...{ ...console, session, target, attached, writable },
      look: async () => {
        const whole = await surveyWhole(session, walk.attached, answers);
        walk.attached = whole.attached;
        return whole.survey;
      },
      allowWrites: async () => {
        await release();
        // Arrays and groups were opened read-only for the look.
        if (!allowed) walk.attached = await reopenForWriting(session, walk.attached, answers);
        allowed = true;
      },
    };
    return walk;
  };
  return console.observer.task(`Attach ${target.name}`, attach, ({ attached }) => {
    const opened = attached.stack.opened.filter(({ layer }) => layer !== 'partitions');
    const names = opened.map(({ what }) => what).join(', ');
    return `Attached ${target.name}${names === '' ? '' : ` and opened read-only: ${names}`}`;
  });
};

const stateDirectoryOf = ({ options }: CommandContext): string | null => options.stateDir ?? null;

const exitFor = ({ boot }: WalkRecord): ExitCode =>
  boot?.reachedTarget === false ? exitCode.failed : exitCode.done;

type Run = {
  readonly context: CommandContext;
  readonly console: Console;
  readonly onPlace: (place: Place) => void;
  /** What was found on a disk that turned out to be another than the wanted one. */
  readonly onOther: (record: WalkRecord) => void;
};

/** One session: attach, walk, take down, last words. Null when another disk is to be chosen. */
const walkOn = async (run: Run, target: Target, mode: LayerMode): Promise<ExitCode | null> => {
  const { context, console } = run;
  const options = { ...context.session('wizard', target.name), signal: console.signal };
  const { result, session, teardown } = await withSession(options, async (open) => {
    run.onPlace({ target, session: open.id });
    const record = await walkThrough(await openWalk(console, open, target, mode));
    return { result: record, keepUp: false };
  });
  const ending = { target, session, teardown, stateDirectory: stateDirectoryOf(context) };
  if (result.otherDisk) {
    requireAllDown(teardown);
    run.onOther(result);
    return null;
  }
  if (result.rehearse) {
    requireAllDown(teardown);
    return rehearseWalk(context, console, target, result.system);
  }
  console.show(renderEnding(result, ending, console.terminal));
  requireAllDown(teardown);
  return exitFor(result);
};

/** A disk that cannot be written can still be looked at. */
const walkOver = async (run: Run, target: Target): Promise<ExitCode | null> => {
  try {
    return await walkOn(run, target, 'read-write');
  } catch (error) {
    if (!(error instanceof RescueError) || error.code !== 'READ_ONLY') throw error;
    return walkOn(run, target, 'read-only');
  }
};

/** These end the walk; after any other the person may choose another disk. */
const endsWalk = (error: unknown): boolean =>
  !(error instanceof RescueError) ||
  error.code === 'INTERRUPTED' ||
  error.exit === exitCode.leftBehind ||
  error.exit === exitCode.interrupted;

const noticeOf = (error: RescueError, console: Console): readonly string[] => {
  const { terminal } = console;
  const columns = terminal.columns - 1;
  const style = createStyle(terminal.colour);
  return [
    ...wrapText(error.message, columns, 4, '  ! ').map(style.bad),
    ...(error.hint === '' ? [] : wrapText(error.hint, columns, 4)),
  ];
};

const chooseAndWalk = async (run: Omit<Run, 'onOther'>): Promise<ExitCode> => {
  const { context, console } = run;
  const { host, isOwnMount } = context;
  const known = new Map<string, string>();
  let notice: readonly string[] = [];
  let code: ExitCode = exitCode.done;
  for (;;) {
    const name = await chooseTarget(console, {
      readDevices: async () => describeStacks(host, await readDevices(host, { isOwnMount })),
      known,
      notice,
      resolve: (path) => resolveTarget(host, path),
    });
    if (name === null) return code;
    try {
      const target = await resolveTarget(host, name);
      const onOther = ({ system }: WalkRecord) => {
        if (system?.place?.disk.path) known.set(system.place.disk.path, systemTitle(system));
      };
      const ended = await walkOver({ ...run, onOther }, target);
      if (ended !== null) return ended;
      notice = [];
    } catch (error) {
      if (endsWalk(error) || !(error instanceof RescueError)) throw error;
      notice = noticeOf(error, console);
      code = error.exit;
    }
  }
};

/**
 * The guided walk through the whole job. Calls what the commands call, and asks before each step.
 *
 * @throws RescueError `LEFT_BEHIND` (5), what ends the walk; an interruption is no error but the
 *   exit code 130, after everything was taken down.
 */
export const runWizard = async (context: CommandContext): Promise<ExitCode> => {
  if (process.stdout.isTTY !== true) {
    throw usageError('The rescue shell of the guided walk needs the terminal: do not redirect it.');
  }
  await requirePrograms(context.host, rescuePrograms);
  // A prompt whose terminal goes away may never settle: the process then ends with this code.
  process.exitCode = exitCode.failed;
  const console = openConsole(context);
  let place: Place | null = null;
  const onPlace = (now: Place) => {
    place = now;
  };
  try {
    return await chooseAndWalk({ context, console, onPlace });
  } catch (error) {
    if (!(error instanceof RescueError) || error.code !== 'INTERRUPTED') throw error;
    const { target = null, session = null } = (place as Place | null) ?? {};
    console.show(renderStopped(target, session, { stateDirectory: stateDirectoryOf(context) }));
    return exitCode.interrupted;
  }
};
