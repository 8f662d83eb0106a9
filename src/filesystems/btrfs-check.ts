import { hidingCopies } from './btrfs-hide.ts';
import { type BtrfsSuperblock, readBtrfsSuperblock } from './btrfs-superblock.ts';
import { checkResult, counted } from './check-result.ts';
import { type CheckerOutput, type CheckerRun, runChecker, runTool } from './checker.ts';
import type { CheckContext, CheckProgress, CheckResult } from './file-system.ts';

/** Headings and the counters at the end. */
const silent: readonly RegExp[] = [
  /^\s*$/,
  /^(Opening filesystem to check|Checking filesystem on|UUID: |Starting repair)/,
  /^\[\d+\/\d+\] /,
  /^found \d+ bytes used, no error found$/,
  /^(total (csum|tree|fs tree|extent tree) bytes|btree space waste bytes|file data blocks allocated): /,
  /^\s*referenced \d+$/,
  // A cache of free space that is older than the last write; the kernel makes it anew.
  /^cache and super generation don't match/,
  // What --repair always prints: its warning and its countdown.
  /^(enabling repair mode|WARNING:|No device size related problem found|Fixed 0 roots\.)$/,
  /^\t/,
  /^10 9 8 7/,
];

/** `[3/7] checking free space tree (0:00:01 elapsed, 5 items checked)`. */
export const btrfsProgress = (line: string): CheckProgress | null => {
  const match = /^\[(\d+)\/(\d+)\] ([a-z ]+)/.exec(line);
  if (match === null) return null;
  const [step, steps] = [Number(match[1]), Number(match[2])];
  return {
    message: `step ${step} of ${steps}: ${(match[3] ?? '').trim()}`,
    fraction: (step - 1) / steps,
  };
};

export const btrfsOutput: CheckerOutput = {
  isFinding: (line) => !silent.some((pattern) => pattern.test(line)),
  progress: btrfsProgress,
};

/** The words of `btrfs check`, without the program. */
export const btrfsCheckArgs = (mode: 'look' | 'repair', device: string): readonly string[] => [
  'check',
  mode === 'look' ? '--readonly' : '--repair',
  '--progress',
  device,
];

export const runBtrfsCheck = (
  context: CheckContext,
  mode: 'look' | 'repair',
): Promise<CheckerRun> =>
  runChecker(
    context,
    {
      ...hidingCopies(context.btrfs?.copies ?? [], 'btrfs', btrfsCheckArgs(mode, context.device)),
      accept: [0, 1],
      changes: mode === 'repair',
    },
    btrfsOutput,
  );

const missing = /device \d+ is missing|missing device|devid \d+ .* missing/i;

const repairAdvice =
  'Copy the data off first (a read-only mount may still work). --btrfs-repair runs btrfs check --repair, which can make it worse.';

/**
 * Features that the tools of this machine do not know: `couldn't open because of unsupported option
 * features (0x4000)`. Nothing of it was read then.
 */
const isTooNew = (findings: readonly string[]): boolean =>
  findings.some((line) => /unsupported (?:option|incompat\w*) features/.test(line));

/** Nothing but the missing device was found, and the person has said that it may be missing. */
const isWholeWithout = ({ btrfs }: CheckContext, { exitCode, findings }: CheckerRun): boolean =>
  btrfs?.degraded === true && exitCode === 0 && findings.every((line) => missing.test(line));

const consistent = (context: CheckContext, waiting: string, without: string): CheckResult =>
  waiting === ''
    ? checkResult(context, 'clean', `btrfs check found no problem in the metadata${without}.`)
    : checkResult(
        context,
        'damaged',
        `${waiting}Apart from that it is consistent${without}; --repair replays it.`,
        { needsReplay: true },
      );

const judge = (
  context: CheckContext,
  run: CheckerRun,
  superblock: BtrfsSuperblock | null,
): CheckResult => {
  const { findings, findingCount } = run;
  const needsReplay = superblock?.needsReplay ?? false;
  const devices = superblock?.deviceCount ?? 1;
  const waiting = needsReplay
    ? 'The log tree has not been replayed (the system was cut off). '
    : '';
  if (isTooNew(findings)) {
    const detail =
      'It was made by a newer system than the btrfs-progs of this machine know, so that it was not judged: use a rescue system with newer ones.';
    return checkResult(context, 'skipped', detail, { evidence: findings });
  }
  if (isWholeWithout(context, run)) {
    const without = findingCount === 0 ? '' : ', read from what is attached: a device is missing';
    return consistent(context, waiting, without);
  }
  if (findings.some((line) => missing.test(line))) {
    const detail = `${waiting}It spans ${counted(devices, 'device')}, and not all of them are attached: attach the others and check again. What is there was not judged.`;
    return checkResult(context, 'skipped', detail, { needsReplay, evidence: findings });
  }
  if (run.exitCode === 0 && findingCount === 0) return consistent(context, waiting, '');
  const detail = `${waiting}btrfs check found ${counted(findingCount, 'line')} of problems. ${repairAdvice}`;
  return checkResult(context, 'damaged', detail, { needsReplay, evidence: findings });
};

/** Looks at a btrfs without writing: its trees are consistent without the log tree. */
export const lookAtBtrfs = async (context: CheckContext): Promise<CheckResult> => {
  const superblock = await readBtrfsSuperblock(
    (command) => runTool(context, command),
    context.device,
  );
  return judge(context, await runBtrfsCheck(context, 'look'), superblock);
};
