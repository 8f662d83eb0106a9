import { bindStep } from '../filesystems/mount-step.ts';
import { wrapText } from '../output/wrap.ts';
import { withMountHooks } from '../rescue/hook-phases.ts';
import { mountLines } from '../rescue/mount-lines.ts';
import {
  type MountedSystem,
  mountDirectory,
  mountSystem,
  type SystemMode,
} from '../rescue/mount-system.ts';
import { nameVolumes } from '../rescue/name-volumes.ts';
import type { FoundSystem } from '../rescue/survey.ts';
import { renderExplanation, type StepScreen, warningLines } from './screen.ts';
import { type Asked, askStep, callName, goOn, type Walk } from './walk.ts';
import { modeWords, mountWords } from './words.ts';

type ModeAnswer = 'write' | 'ephemeral' | 'rehearse' | 'leave';

const modeQuestion: Asked<ModeAnswer> = {
  message: 'Work on what?',
  keys: [
    { key: 'd', value: 'write', word: 'the disk' },
    { key: 't', value: 'ephemeral', word: 'throwaway copy' },
    { key: 'r', value: 'rehearse', word: 'rehearse: decide afterwards' },
    { key: 'e', value: 'explain', word: 'explain' },
    { key: 'q', value: 'leave', word: 'leave' },
  ],
  safe: 'ephemeral',
};

const onlyThrowaway = (walk: Walk, why: string): SystemMode => {
  const text = `${why} It can be booted as a throwaway copy: nothing is written to the disk.`;
  walk.show(`\n${warningLines(text, walk.terminal)}`);
  return 'ephemeral';
};

/** What may become of the changes. Enter means the throwaway copy, which can do no harm. */
export const askMode = async (
  walk: Walk,
  damaged: boolean,
): Promise<SystemMode | 'rehearse' | 'leave'> => {
  if (!walk.writable) return onlyThrowaway(walk, 'The disk is read-only.');
  if (damaged) return onlyThrowaway(walk, 'A damaged file system is not mounted for writing.');
  walk.show(`\n${wrapText(modeWords.question, walk.terminal.columns - 1).join('\n')}\n`);
  for (;;) {
    const answer = await walk.ask.key(modeQuestion);
    if (answer !== 'explain') return answer;
    const nothing: StepScreen = { title: '', commands: [], why: '', risk: '' };
    walk.show(renderExplanation(modeWords.explain, nothing, walk.terminal));
  }
};

/** The commands that mount it, with the hooks around them. */
export const mountCommands = async (
  walk: Walk,
  system: FoundSystem,
  mode: SystemMode,
): Promise<StepScreen['commands']> => {
  const { hooks } = walk.session;
  const root = `${walk.session.runDirectory}/root`;
  const bind = bindStep(walk.target.path, root, false).commands;
  return [
    ...(await hooks.lines('before-mount')),
    ...(walk.attached === null
      ? bind.map(({ program, args }) => [program, ...args])
      : mountLines(system, mode, root)),
    ...(await hooks.lines('after-mount')),
  ];
};

const mountScreen = async (
  walk: Walk,
  system: FoundSystem,
  mode: SystemMode,
): Promise<StepScreen> => {
  const copy = mode === 'ephemeral' ? ' as a throwaway copy' : '';
  return {
    title: `mount ${callName(system, walk.target)}${copy}`,
    commands: await mountCommands(walk, system, mode),
    why: mountWords.why,
    risk: mountWords.risk[mode],
  };
};

const mountedText = ({ mounted }: MountedSystem): string =>
  mounted.length === 0
    ? 'Mounted the directory'
    : `Mounted ${mounted.map(({ target }) => target).join(', ')}`;

/** What could not be mounted and is worth a word; a missing device was told before. */
const showNotMounted = (walk: Walk, { notMounted }: MountedSystem): void => {
  for (const { target, spec, state, note } of notMounted) {
    if (state === 'missing' || note === 'swap' || note === 'noauto') continue;
    const text = `${target} is not mounted (${spec}): ${note ?? state}`;
    walk.show(warningLines(text, walk.terminal));
  }
};

/** Mounts the system without a question. */
export const mountAs = async (
  walk: Walk,
  system: FoundSystem,
  mode: SystemMode,
): Promise<MountedSystem> => {
  if (mode === 'write') await walk.allowWrites();
  const note = (text: string) => walk.show(warningLines(text, walk.terminal));
  const named = await nameVolumes(walk.session, system, note);
  return withMountHooks(walk.session, system, mode, () =>
    walk.observer.task(
      `Mount ${callName(system, walk.target)}`,
      () =>
        walk.attached === null
          ? mountDirectory(walk.session, walk.target, mode)
          : mountSystem(walk.session, named, { mode, setuid: true, apart: false }),
      mountedText,
    ),
  );
};

/** Mounts the system; null when the person skips it or wants to leave. */
export const mountStep = async (
  walk: Walk,
  system: FoundSystem,
  mode: SystemMode,
): Promise<MountedSystem | null> => {
  const screen = await mountScreen(walk, system, mode);
  const question: Asked<'yes' | 'leave'> = {
    ...goOn,
    keys: goOn.keys.flatMap(({ value, ...key }) => (value === 'skip' ? [] : [{ value, ...key }])),
    safe: 'yes',
  };
  const answer = await askStep(walk, screen, question, mountWords.explain);
  if (answer === 'leave') return null;
  const where = await mountAs(walk, system, mode);
  showNotMounted(walk, where);
  return where;
};
