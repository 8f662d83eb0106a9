import type { LogEntry, Matches } from './journal.ts';

/** Ids that systemd gives its messages (sd-messages.h). */
const journalStarted = 'f77379a8490b408bbe5f6940505a777b';
const unitStarted = '39f53479d3a045ac8e11786248231fbf';
const unitFailed = ['be02cf6855d2428ba40df7e9d022f03d', 'd9b373ed55a64feb8242e02dbe79a49c'];

/**
 * `finished`: it came to the target that it was to come to, so a login was possible. `rescue`: a
 * person chose rescue mode. `unknown`: its beginning is no longer in the journal, or systemd was
 * told to say little.
 */
export type Outcome = 'finished' | 'emergency' | 'rescue' | 'unfinished' | 'unknown';

export type Boot = {
  readonly id: string;
  /** Null when nothing of its beginning is left. */
  readonly began: Date | null;
  /** As the kernel's first line says; null when that line is not there. */
  readonly kernel: string | null;
  readonly outcome: Outcome;
  /** Line that tells how it ended its start; null when there is none. */
  readonly line: string | null;
};

/** Broken off, or ended in emergency mode: for certain. */
export const isBroken = ({ outcome }: Boot): boolean =>
  outcome === 'unfinished' || outcome === 'emergency';

const emergencyUnits = ['emergency.target', 'emergency.service'];
const rescueUnits = ['rescue.target', 'rescue.service'];

/** One of these is started in every boot that reaches the disk with its journal. */
const earlyUnits = [
  ...['systemd-journal-flush.service', 'systemd-remount-fs.service', 'local-fs-pre.target'],
  ...['local-fs.target', 'swap.target', 'slices.target', 'sysinit.target', 'basic.target'],
];

/** Targets at which a boot is at its end; emergency and rescue mode are none, whoever sets them. */
const finalTargets = (defaultTarget: string | null): readonly string[] => [
  ...new Set([
    ...['multi-user.target', 'graphical.target'],
    ...(defaultTarget === null || [...emergencyUnits, ...rescueUnits].includes(defaultTarget)
      ? []
      : [defaultTarget]),
  ]),
];

const unitsAre = (units: readonly string[]): readonly string[] =>
  units.map((unit) => `UNIT=${unit}`);

/**
 * What tells boots apart and how they went: some lines of each boot, however much else is in the
 * journal. The id of "Startup finished" is none of them: it only says that systemd has nothing more
 * to do, which is so in emergency mode, too.
 *
 * @param defaultTarget unit that default.target leads to; null when it is not known.
 */
export const bootMarks = (defaultTarget: string | null): Matches => [
  [`MESSAGE_ID=${journalStarted}`],
  // The kernel counts no time before its first lines are out, and `Linux version` is a notice.
  ['_TRANSPORT=kernel', '_SOURCE_MONOTONIC_TIMESTAMP=0', 'PRIORITY=5'],
  [
    ...['_PID=1', `MESSAGE_ID=${unitStarted}`],
    ...unitsAre([...finalTargets(defaultTarget), ...earlyUnits]),
  ],
  // A boot that goes well says nothing of these units.
  ['_PID=1', ...unitsAre([...emergencyUnits, ...rescueUnits])],
];

/** Units that failed in one boot. */
export const failuresOf = ({ id }: Boot): Matches => [
  [`_BOOT_ID=${id}`, '_PID=1', ...unitFailed.map((failed) => `MESSAGE_ID=${failed}`)],
];

const outcomeOf = (
  marks: readonly LogEntry[],
  defaultTarget: string | null,
): Pick<Boot, 'outcome' | 'line'> => {
  const about = (units: readonly string[]) => (entry: LogEntry) => units.includes(entry.unit ?? '');
  const started = marks.filter(
    ({ messageId, jobResult }) => messageId === unitStarted && jobResult === 'done',
  );
  const end = started.findLast(about(finalTargets(defaultTarget)));
  const emergency = marks.findLast(about(emergencyUnits));
  // Left with Ctrl-D after the mend, emergency mode goes on to the end all the same.
  if (
    end !== undefined &&
    (emergency === undefined || marks.indexOf(end) > marks.indexOf(emergency))
  )
    return { outcome: 'finished', line: end.message };
  if (emergency !== undefined) return { outcome: 'emergency', line: emergency.message };
  const rescue = marks.findLast(about(rescueUnits));
  if (rescue !== undefined) return { outcome: 'rescue', line: rescue.message };
  const isWhole =
    marks.some(({ messageId, fromKernel }) => messageId === journalStarted || fromKernel) &&
    started.some(about(earlyUnits));
  return { outcome: isWhole ? 'unfinished' : 'unknown', line: null };
};

const summary = (id: string, marks: readonly LogEntry[], defaultTarget: string | null): Boot => ({
  id,
  began: marks[0]?.at ?? null,
  kernel:
    marks.find(({ message }) => /^Linux version \S+/.test(message))?.message.split(' ')[2] ?? null,
  ...outcomeOf(marks, defaultTarget),
});

/**
 * The boots that a journal tells of, the oldest first.
 *
 * @param marks what `bootMarks` asks for.
 * @param newest the last entry of all: its boot may have no mark left.
 */
export const bootsOf = (
  marks: readonly LogEntry[],
  newest: LogEntry,
  defaultTarget: string | null,
): readonly Boot[] => {
  const boots = new Map<string, LogEntry[]>();
  for (const entry of marks) {
    if (entry.bootId === null) continue;
    const known = boots.get(entry.bootId);
    if (known === undefined) boots.set(entry.bootId, [entry]);
    else known.push(entry);
  }
  const all = [...boots].map(([id, own]) => summary(id, own, defaultTarget));
  return newest.bootId === null || boots.has(newest.bootId)
    ? all
    : [...all, summary(newest.bootId, [], defaultTarget)];
};
