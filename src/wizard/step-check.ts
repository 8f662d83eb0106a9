import type { CheckResult } from '../filesystems/file-system.ts';
import { type LastResort, lastResortCommand, lastResortFor } from '../filesystems/last-resort.ts';
import {
  type CheckTarget,
  checkFileSystems,
  checkLines,
  noLastResorts,
} from '../rescue/check-system.ts';
import { damagedOnes, renderResults } from './check-lines.ts';
import { type Asked, askStep, goOn, type Walk } from './walk.ts';
import { checkWords, lastResortWords, repairWords } from './words.ts';

export type Checked = {
  readonly results: readonly CheckResult[];
  /** Something was written: what was read before may be out of date. */
  readonly repaired: boolean;
  readonly leave: boolean;
};

type RepairAnswer = 'yes' | 'no' | 'leave';

/** A repair writes, so that Enter means no. */
const repairQuestion = (message: string, word: string): Asked<RepairAnswer> => ({
  message,
  keys: [
    { key: 'y', value: 'yes', word },
    { key: 'n', value: 'no', word: 'no' },
    { key: 'e', value: 'explain', word: 'explain' },
    { key: 'q', value: 'leave', word: 'leave' },
  ],
  safe: 'no',
});

type Lines = readonly (readonly string[])[];

const withHooks = async ({ session: { hooks } }: Walk, lines: Lines): Promise<Lines> => [
  ...(await hooks.lines('before-check')),
  ...lines,
  ...(await hooks.lines('after-check')),
];

const targetsOf = (results: readonly CheckResult[]): readonly CheckTarget[] =>
  results.map(({ device, fsType }) => ({ device, fsType }));

/** The newer results in place of the older ones of the same devices. */
export const merged = (
  older: readonly CheckResult[],
  newer: readonly CheckResult[],
): readonly CheckResult[] =>
  older.map((result) => newer.find(({ device }) => device === result.device) ?? result);

const repair = async (
  walk: Walk,
  results: readonly CheckResult[],
  resort: LastResort | null,
): Promise<readonly CheckResult[]> => {
  await walk.allowWrites();
  await walk.session.hooks.tell({ mode: 'read-write' });
  const lastResorts = resort === null ? noLastResorts : { ...noLastResorts, [resort]: true };
  const settings = { repair: true, lastResorts };
  const mended = await checkFileSystems(walk.session, targetsOf(results), settings, walk.observer);
  walk.show(`\n${renderResults(mended, walk.terminal)}`);
  return mended;
};

/** Each last resort is a question of its own about one file system. */
const askLastResorts = async (walk: Walk, checked: Checked): Promise<Checked> => {
  let { results } = checked;
  for (const result of results) {
    const resort = lastResortFor(result);
    if (resort === null) continue;
    const words = lastResortWords(resort);
    const screen = {
      title: `the last resort for ${result.device} (${result.fsType})`,
      commands: [lastResortCommand(resort, result.device)],
      why: words.why,
      risk: words.risk,
    };
    const question = repairQuestion('Do it?', 'yes, take the risk');
    const answer = await askStep(walk, screen, question, words.explain);
    if (answer === 'leave') return { ...checked, results, leave: true };
    if (answer === 'yes') results = merged(results, await repair(walk, [result], resort));
  }
  return { ...checked, results };
};

const askRepair = async (walk: Walk, results: readonly CheckResult[]): Promise<Checked> => {
  const damaged = damagedOnes(results);
  const nothing = { results, repaired: false, leave: false };
  if (damaged.length === 0 || !walk.writable) return nothing;
  const screen = {
    title: `repair ${damaged.map(({ device }) => device).join(', ')} (writes to the disk)`,
    commands: await withHooks(walk, checkLines(targetsOf(damaged), true)),
    why: repairWords.why,
    risk: repairWords.risk,
  };
  const question = repairQuestion('Repair?', 'yes, repair');
  const answer = await askStep(walk, screen, question, repairWords.explain);
  if (answer === 'no') return nothing;
  if (answer === 'leave') return { ...nothing, leave: true };
  const mended = merged(results, await repair(walk, damaged, null));
  return askLastResorts(walk, { results: mended, repaired: true, leave: false });
};

/** Checks, says what was found, and asks about a repair where one is needed. */
export const checkStep = async (
  walk: Walk,
  targets: readonly CheckTarget[],
  name: string,
): Promise<Checked> => {
  const nothing = { results: [], repaired: false, leave: false };
  if (targets.length === 0) return nothing;
  const screen = {
    title: `check the file systems of ${name} (reads only)`,
    commands: await withHooks(walk, checkLines(targets, false)),
    why: checkWords.why,
    risk: checkWords.risk,
  };
  const answer = await askStep(walk, screen, goOn, checkWords.explain);
  if (answer === 'leave') return { ...nothing, leave: true };
  if (answer === 'skip') return nothing;
  const settings = { repair: false, lastResorts: noLastResorts };
  const results = await checkFileSystems(walk.session, targets, settings, walk.observer);
  if (results.some(({ outcome }) => outcome !== 'clean')) {
    walk.show(`\n${renderResults(results, walk.terminal)}`);
  }
  return askRepair(walk, results);
};
