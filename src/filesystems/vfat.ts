import { checkResult, counted, orResult } from './check-result.ts';
import { type CheckerOutput, type CheckerRun, runChecker } from './checker.ts';
import type { CheckContext, CheckResult, FileSystem, RepairContext } from './file-system.ts';

/** Heading, summary and the consequences of `-n` and `-a`. */
const silent: readonly RegExp[] = [
  /^\s*$/,
  /^fsck\.fat \d/,
  /^Leaving filesystem unchanged\.$/,
  /^\*\*\* Filesystem was changed \*\*\*$/,
  /^Writing changes\.$/,
  /^ Automatically removing dirty bit\.$/,
  /: \d+ files, \d+\/\d+ clusters$/,
];

export const vfatOutput: CheckerOutput = {
  isFinding: (line) => !silent.some((pattern) => pattern.test(line)),
  progress: () => null,
};

/** fsck.fat(8): 0 no problem, 1 problems or internal error, 2 did not look. */
const runFsck = (context: CheckContext, mode: '-n' | '-a'): Promise<CheckerRun> => {
  context.onProgress({ message: 'reading the allocation tables', fraction: null });
  return runChecker(
    context,
    {
      program: 'fsck.fat',
      args: [mode, context.device],
      accept: [0, 1, 2],
      changes: mode === '-a',
    },
    vfatOutput,
  );
};

/** FAT32 keeps a second boot sector, and only the first one is marked: `65:01/00`. */
const backupDiffers: readonly RegExp[] = [
  /^There are differences between boot sector and its backup/,
  /^This is mostly harmless/,
  /^\s+\d+:[0-9a-f]{2}\/[0-9a-f]{2}(, |$)/,
  /^\s+Not automatically fixing this/,
];

const isHarmless = (line: string): boolean => backupDiffers.some((pattern) => pattern.test(line));

const isDirtyBit = (line: string): boolean => line.startsWith('Dirty bit is set');

/** Whether the mark "not unmounted" is all that is wrong. */
const onlyDirtyBit = (findings: readonly string[]): boolean =>
  findings.some(isDirtyBit) && findings.every((line) => isDirtyBit(line) || isHarmless(line));

const look = async (context: CheckContext): Promise<CheckResult> => {
  const run = await runFsck(context, '-n');
  const { exitCode, findings: evidence, findingCount } = run;
  if (exitCode === 2) {
    return checkResult(context, 'skipped', 'fsck.fat could not look at it.', { evidence });
  }
  if (exitCode === 0 && evidence.every(isHarmless)) {
    return checkResult(context, 'clean', 'fsck.fat found no problem.', { evidence });
  }
  if (onlyDirtyBit(evidence)) {
    // As with a journal that waits: each boot's fsck takes the mark away, so that it is no damage
    // and needs no evidence.
    const detail =
      'It was not unmounted (the system was cut off); nothing else is wrong. --repair takes the mark away.';
    return checkResult(context, 'damaged', detail, { needsReplay: true });
  }
  const detail = `fsck.fat found ${counted(findingCount, 'line')} of problems; --repair mends them.`;
  return checkResult(context, 'damaged', detail, { evidence });
};

const mend = async (context: RepairContext): Promise<CheckResult> => {
  const before = await look(context);
  if (before.outcome !== 'damaged') return before;
  const run = await runFsck(context, '-a');
  const after = await look(context);
  return after.outcome === 'clean'
    ? checkResult(context, 'repaired', 'It was mended, and a second look found no problem.', {
        evidence: run.findings,
      })
    : checkResult(context, 'damaged', `fsck.fat did not mend all of it. ${after.detail}`, after);
};

/** FAT, the file system of EFI system partitions. fsck.fat needs no driver in the kernel. */
export const vfatFileSystem: FileSystem = {
  types: ['vfat'],
  lookOptions: ['ro'],
  writeOptions: ['errors=remount-ro'],
  checkCommands: (device) => [['fsck.fat', '-n', device]],
  repairCommands: (device) => [
    ['fsck.fat', '-a', device],
    ['fsck.fat', '-n', device],
  ],
  check: (context) =>
    orResult(
      () => look(context),
      (words) => checkResult(context, 'skipped', `It could not be looked at: ${words}`),
    ),
  repair: (context) =>
    orResult(
      () => mend(context),
      (words) => checkResult(context, 'damaged', `The repair stopped: ${words}`),
    ),
};
