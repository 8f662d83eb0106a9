import { inspectDocument } from '../commands/inspect.ts';
import { renderSystem } from '../output/system-report.ts';
import type { View } from '../output/terminal.ts';
import { wrapText } from '../output/wrap.ts';
import { checkTargetsOn } from '../rescue/check-system.ts';
import { requireSystems, systemName, systemTitle } from '../rescue/choose-system.ts';
import { closedText } from '../rescue/closed-layers.ts';
import type { FoundSystem, Survey } from '../rescue/survey.ts';
import type { KeyQuestion } from './ask.ts';
import { warningLines } from './screen.ts';
import type { Walk } from './walk.ts';

const foundText = ({ systems }: Survey): string => {
  const [only, ...others] = systems;
  if (only === undefined) return 'No system can be read on it';
  return others.length === 0 ? `Found ${systemTitle(only)}` : `Found ${systems.length} systems`;
};

/** Reads what is on the target. Not one byte is written. */
export const lookAt = ({ observer, target, look }: Walk): Promise<Survey> =>
  observer.task(`Look at ${target.name} (reads only)`, look, foundText);

/** What fstab names and nobody can find now; often the very reason of the visit. */
const missingLines = (system: FoundSystem, view: View): readonly string[] => {
  const missing = system.mounts.filter(({ state }) => state === 'missing');
  if (missing.length === 0) return [];
  const names = missing.map(({ target }) => target).join(', ');
  const text =
    missing.length === 1
      ? `${names} is named in its fstab, and its device is not attached here. The walk goes on without it. On its own machine such a line stops the boot, unless it has the option nofail.`
      : `${names} are named in its fstab, and their devices are not attached here. The walk goes on without them. On its own machine such lines stop the boot, unless they have the option nofail.`;
  return ['', warningLines(text, view)];
};

const problemLines = ({ problems }: Survey, view: View): readonly string[] =>
  problems.map(({ device, reason }) =>
    warningLines(`${device} could not be read: ${reason}`, view),
  );

const showSystem = (walk: Walk, survey: Survey, system: FoundSystem): void => {
  const { terminal } = walk;
  const documents = inspectDocument({ ...survey, systems: [system] }).systems;
  const reports = documents.map((one) => renderSystem(one, terminal));
  const closed = (walk.attached?.closed ?? []).map((layer) =>
    warningLines(closedText(layer), terminal),
  );
  const notes = [...missingLines(system, terminal), ...problemLines(survey, terminal), ...closed];
  walk.show(['', ...reports, ...notes].join('\n'));
};

export type Found =
  | { readonly kind: 'system'; readonly system: FoundSystem }
  /** File systems are there that cannot be read: one of them may be the root. */
  | { readonly kind: 'unreadable' }
  /** Not this one; what it was, where that is known. */
  | { readonly kind: 'other'; readonly system: FoundSystem | null }
  | { readonly kind: 'leave' };

/** One of several systems. */
const askSystem = async (walk: Walk, survey: Survey): Promise<Found> => {
  const choices = survey.systems.map((system) => ({
    name: `${systemTitle(system)}  ${systemName(system)}`,
    value: { kind: 'system', system } as Found,
    disabled: null,
  }));
  const other: Found = { kind: 'other', system: null };
  const found = await walk.ask.choose({
    message: 'Which system needs the rescue?',
    choices: [
      ...choices,
      { name: 'None of them: choose another disk', value: other, disabled: null },
      { name: 'Take everything down and leave', value: { kind: 'leave' }, disabled: null },
    ],
  });
  if (found.kind === 'system') showSystem(walk, survey, found.system);
  return found;
};

const isItQuestion: KeyQuestion<'yes' | 'other' | 'leave'> = {
  message: 'Is this the system to rescue?',
  keys: [
    { key: 'y', value: 'yes', word: 'yes' },
    { key: 'o', value: 'other', word: 'another disk' },
    { key: 'q', value: 'leave', word: 'leave' },
  ],
  safe: 'yes',
};

/** The wrong disk is the worst mistake of a rescue: what was found is shown and confirmed. */
const confirmSystem = async (walk: Walk, survey: Survey, system: FoundSystem): Promise<Found> => {
  showSystem(walk, survey, system);
  walk.show('');
  const answer = await walk.ask.key(isItQuestion);
  return answer === 'yes' ? { kind: 'system', system } : { kind: answer, system };
};

const showUnreadable = (walk: Walk, survey: Survey): void => {
  const { terminal } = walk;
  const lines = [
    ...problemLines(survey, terminal),
    ...wrapText('The system may be on it. A check tells more.', terminal.columns - 1),
  ];
  walk.show(['', ...lines].join('\n'));
};

/**
 * Chooses among what was found and shows it.
 *
 * @throws RescueError `EMPTY`, `ENCRYPTED`, `CLOSED_LAYER`, `NO_SYSTEM` when a check could not help.
 */
export const chooseFound = async (
  walk: Walk,
  survey: Survey,
  wanted: string | null,
): Promise<Found> => {
  const { attached } = walk;
  if (attached !== null && survey.systems.length === 0) {
    if (survey.problems.length === 0 || checkTargetsOn(attached).length === 0) {
      requireSystems(attached, survey);
    }
    showUnreadable(walk, survey);
    return { kind: 'unreadable' };
  }
  const same = survey.systems.find((system) => systemName(system) === wanted);
  if (same !== undefined) return { kind: 'system', system: same };
  const [only, ...others] = survey.systems;
  return only !== undefined && others.length === 0
    ? confirmSystem(walk, survey, only)
    : askSystem(walk, survey);
};
