import { type CheckerOutput, type CheckerRun, runChecker } from './checker.ts';
import type { CheckContext, CheckProgress } from './file-system.ts';

/** e2fsck(8): the exit code is a sum of these. */
export const e2fsckExit = { corrected: 1, reboot: 2, uncorrected: 4, operational: 8 } as const;

/** Every sum of the bits up to 8; 16 (usage), 32 (cancelled) and 128 (library) are no verdict. */
const verdicts: readonly number[] = Array.from({ length: 16 }, (_, code) => code);

/** Headings, prompts, counters and the consequences of `-n` and `-z`. */
const silent: readonly RegExp[] = [
  /^\s*$/,
  /^e2fsck \d/,
  /^Pass \d/,
  /^[A-Z][a-z ]*\? (yes|no)$/,
  /^(IGNORED|CLEARED|FIXED)\.$/,
  /: \d+\/\d+ files/,
  /FILE SYSTEM WAS MODIFIED/,
  /WARNING: Filesystem still has errors/,
  /^Warning: skipping journal recovery/,
  /: recovering journal$/,
  /^Overwriting existing filesystem; this can be undone/,
  /^\s+e2undo /,
  /^\s*\(i\.e\., without -a or -p options\)/,
  // An offer to make an intact extent tree smaller; healthy file systems have it.
  /extent tree .* could be (shorter|narrower)/,
];

/**
 * The free counts of the whole file system. The kernel writes them only on unmount, so that after
 * a power cut they are always old; those of a group ("for group #3") are another matter.
 */
const totals = /(^|: )Free (blocks|inodes) count wrong \(/;

/** What each mount does after replaying the journal: inodes that were deleted while open go. */
const orphans = /(^|: )(Clearing orphaned inode|Truncating orphaned inode) \d+/;

/** Share of the work done before pass 1 to 5, in per cent, as e2fsck's own bar has it. */
const before = [0, 70, 90, 92, 95, 100] as const;

/** A line that `-C FD` writes: pass, current, maximum, and the device's name or its label. */
export const e2fsckProgress = (line: string): CheckProgress | null => {
  const match = /^([1-5]) (\d+) (\d+) \S/.exec(line);
  if (match === null) return null;
  const [pass, current, maximum] = match.slice(1, 4).map(Number) as [number, number, number];
  const start = before[pass - 1] ?? 0;
  const share = maximum === 0 ? 1 : Math.min(current / maximum, 1);
  const fraction = (start + ((before[pass] ?? 100) - start) * share) / 100;
  return { message: `pass ${pass} of 5`, fraction };
};

export const e2fsckOutput: CheckerOutput = {
  isFinding: (line) => !silent.some((pattern) => pattern.test(line)),
  progress: e2fsckProgress,
};

/** True for findings that replaying the journal always leaves, on a healthy disk too. */
export const isReplayResidue = (line: string): boolean => totals.test(line) || orphans.test(line);

/** True when nothing but the free counts of the whole file system is wrong. */
export const onlyTotals = (findings: readonly string[]): boolean =>
  findings.every((line) => totals.test(line));

/** e2fsck takes a backup by itself when superblock or group descriptors are bad (not with -p). */
export const usedBackup = (findings: readonly string[]): boolean =>
  findings.some((line) => /trying backup blocks/.test(line));

type E2fsckRun = {
  /** `-n` looks, `-p` does what a boot does, `-y` answers every question with yes. */
  readonly mode: '-n' | '-p' | '-y';
  /** Device, or the image file of a copy. */
  readonly path: string;
  /** Whether `path` is the attached disk and is written. */
  readonly changes: boolean;
  readonly undoFile?: string;
  readonly backup?: { readonly block: number; readonly blockSize: number };
};

/** The words of an e2fsck call. `-f`: without it a file system marked clean is not looked at. */
export const e2fsckArgs = (run: Omit<E2fsckRun, 'changes'>): readonly string[] => [
  '-f',
  run.mode,
  ...(run.backup === undefined
    ? []
    : ['-b', String(run.backup.block), '-B', String(run.backup.blockSize)]),
  ...(run.undoFile === undefined ? [] : ['-z', run.undoFile]),
  '-C',
  '3',
  run.path,
];

/** Runs e2fsck with live progress. */
export const runE2fsck = (context: CheckContext, run: E2fsckRun): Promise<CheckerRun> =>
  runChecker(
    context,
    {
      program: 'e2fsck',
      args: e2fsckArgs(run),
      accept: verdicts,
      changes: run.changes,
      progressFd: true,
    },
    e2fsckOutput,
  );
