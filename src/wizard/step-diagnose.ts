import { type Finding, problemsAmong } from '../diagnosis/finding.ts';
import type { CheckResult } from '../filesystems/file-system.ts';
import { renderFindings } from '../output/finding-report.ts';
import { renderRemaining, renderRepairs } from '../output/repair-report.ts';
import { noOwnRepairs } from '../repairs/own/own-repair.ts';
import { noWishes } from '../repairs/repair.ts';
import { diagnoseSubject } from '../rescue/diagnose-job.ts';
import { examine } from '../rescue/examine.ts';
import { memoryLayers } from '../rescue/mount-system.ts';
import { repairMounted } from '../rescue/repair-job.ts';
import type { FoundSystem } from '../rescue/survey.ts';
import { yesOrNo } from './ask-stack.ts';
import { renderExplanation, type StepScreen } from './screen.ts';
import { mountAs, mountCommands } from './step-mount.ts';
import { type Asked, askStep, callName, goOn, type Walk } from './walk.ts';
import { diagnoseWords, mendWords } from './words.ts';

export type Diagnosed = {
  /** Repairs that were made on the disk. */
  readonly mended: number;
  readonly leave: boolean;
};

const nothing: Diagnosed = { mended: 0, leave: false };

type MendAnswer = 'yes' | 'no' | 'leave';

const mendQuestion: Asked<MendAnswer> = {
  message: 'Repair it?',
  keys: [
    { key: 'y', value: 'yes', word: 'yes, show me the changes first' },
    { key: 'n', value: 'no', word: 'no' },
    { key: 'e', value: 'explain', word: 'explain' },
    { key: 'q', value: 'leave', word: 'leave' },
  ],
  safe: 'no',
};

/** Runs work on the mounted system and takes the mounts down again. */
const whileMounted = async <T>(
  walk: Walk,
  system: FoundSystem,
  mode: 'read-only' | 'ephemeral' | 'write',
  work: (mounted: Awaited<ReturnType<typeof mountAs>>) => Promise<T>,
): Promise<T> => {
  // Layers and partitions that are opened for writing are the walk's, and stay.
  if (mode === 'write') await walk.allowWrites();
  const mark = walk.session.mark();
  const mounted = await mountAs(walk, system, mode);
  const result = await work(mounted);
  await walk.session.takeDownSince(mark);
  // The next layer must not begin with what was tried on this one.
  const { host, runDirectory } = walk.session;
  if (mode === 'ephemeral') await host.files.removeTree(memoryLayers(runDirectory));
  return result;
};

const findOut = (
  walk: Walk,
  system: FoundSystem,
  checks: readonly CheckResult[],
): Promise<readonly Finding[]> =>
  whileMounted(walk, system, 'read-only', async (mounted) => {
    const subject = await examine(walk.session, { system, mounted });
    const { findings } = await diagnoseSubject(subject, checks, noOwnRepairs, walk.observer);
    return problemsAmong(findings);
  });

const mend = (
  walk: Walk,
  system: FoundSystem,
  checks: readonly CheckResult[],
  mode: 'ephemeral' | 'write',
) =>
  whileMounted(walk, system, mode, (mounted) =>
    repairMounted(
      walk.session,
      { target: walk.target, attached: walk.attached, system, mounted, checks },
      {
        ...{ mode, keepLog: mode === 'write', only: null, own: noOwnRepairs, skipCheck: false },
        wishes: noWishes,
      },
      walk.observer,
    ),
  );

const askMend = async (walk: Walk): Promise<MendAnswer> => {
  for (;;) {
    const answer = await walk.ask.key(mendQuestion);
    if (answer !== 'explain') return answer;
    const none: StepScreen = { title: '', commands: [], why: '', risk: '' };
    walk.show(renderExplanation(mendWords.explain, none, walk.terminal));
  }
};

/** Shows what would be changed, asks, and does it. */
const offerRepairs = async (
  walk: Walk,
  system: FoundSystem,
  checks: readonly CheckResult[],
): Promise<Diagnosed> => {
  const answer = await askMend(walk);
  if (answer !== 'yes') return { mended: 0, leave: answer === 'leave' };
  const planned = await mend(walk, system, checks, 'ephemeral');
  walk.show(renderRepairs(planned.applied, planned.refused, walk.terminal).trimEnd());
  if (planned.applied.length === 0) return nothing;
  walk.show('');
  if ((await walk.ask.key(yesOrNo('Make these changes on the disk?'))) === 'no') return nothing;
  const { applied, after } = await mend(walk, system, checks, 'write');
  const remaining = problemsAmong(after.findings);
  walk.show(`\n${renderRemaining(remaining, walk.terminal).trimEnd()}`);
  return { mended: applied.length, leave: false };
};

const screenFor = async (walk: Walk, system: FoundSystem): Promise<StepScreen> => ({
  title: `look for what keeps ${callName(system, walk.target)} from booting`,
  commands: await mountCommands(walk, system, 'read-only'),
  why: diagnoseWords.why,
  risk: diagnoseWords.risk,
});

/** Looks for what keeps a system from booting, and mends it on the person's word. */
export const diagnoseStep = async (
  walk: Walk,
  system: FoundSystem,
  checks: readonly CheckResult[],
  mayWrite: boolean,
): Promise<Diagnosed> => {
  const screen = await screenFor(walk, system);
  const answer = await askStep(walk, screen, goOn, diagnoseWords.explain);
  if (answer !== 'yes') return { mended: 0, leave: answer === 'leave' };
  const findings = await findOut(walk, system, checks);
  if (findings.length === 0) return nothing;
  walk.show(renderFindings(findings, walk.terminal).trimEnd());
  const repairable = findings.some(
    ({ repair, id }) => repair !== null && !id.startsWith('file-system.'),
  );
  if (!repairable || !mayWrite) return nothing;
  walk.show('');
  return offerRepairs(walk, system, checks);
};
