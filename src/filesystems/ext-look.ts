import { checkResult, counted } from './check-result.ts';
import { type CheckerRun, runTool } from './checker.ts';
import { e2fsckExit, isReplayResidue, onlyTotals, runE2fsck, usedBackup } from './e2fsck.ts';
import { type ExtSuperblock, findBackups, readSuperblock } from './ext-superblock.ts';
import type { CheckContext, CheckResult } from './file-system.ts';
import { lacksSpace, saysFull, scratchPath } from './scratch.ts';

export const notReplayed = 'The journal has not been replayed (the system was cut off).';

const cannotLook = (context: CheckContext, run: CheckerRun): CheckResult =>
  checkResult(
    context,
    'skipped',
    `e2fsck could not look at it (exit code ${run.exitCode}); look at the kernel log (dmesg) for errors of the disk.`,
    { evidence: run.findings },
  );

/** e2fsck(8): code 8 alone means that it did not get as far as the file system. */
const gaveNoVerdict = (run: CheckerRun): boolean =>
  run.exitCode === e2fsckExit.operational &&
  !run.findings.some((line) => /bad magic|superblock|corrupt|short read/i.test(line));

/** The result for a file system that only a backup superblock makes readable. */
export const backupNeeded = async (
  context: CheckContext,
  findings: readonly string[],
): Promise<CheckResult> => {
  const backups = await findBackups(context);
  const places = backups.map(({ block, blockSize }) => `${block} (block size ${blockSize})`);
  const advice =
    places.length === 0
      ? 'No backup superblock was found in the usual places.'
      : `Backups can be read at block ${places.join(', ')}; --backup-superblock repairs with one of them.`;
  return checkResult(
    context,
    'damaged',
    `The superblock or the group descriptors are damaged. ${advice}`,
    { evidence: findings },
  );
};

/** What the kernel noted in the superblock, as a problem; null when it was taken down in order. */
const stateProblem = ({ state }: ExtSuperblock): string | null => {
  if (state.includes('with errors')) {
    return 'The kernel met errors in it and marked it; the check found nothing more. --repair checks it and takes the mark away.';
  }
  return state === 'clean'
    ? null
    : 'It was not unmounted (the system was cut off); the check found nothing more. --repair marks it clean.';
};

const lookAtDevice = async (
  context: CheckContext,
  superblock: ExtSuperblock | null,
): Promise<CheckResult> => {
  const run = await runE2fsck(context, { mode: '-n', path: context.device, changes: false });
  const { findings, findingCount } = run;
  if (superblock === null || usedBackup(findings)) return backupNeeded(context, findings);
  if (gaveNoVerdict(run)) return cannotLook(context, run);
  // `e2fsck -fn` exits 0 though it printed "Free inodes count wrong": the lines count as well.
  if (run.exitCode === 0 && findingCount === 0) {
    const problem = stateProblem(superblock);
    if (problem === null) return checkResult(context, 'clean', 'e2fsck found no problem.');
    const evidence = [`Filesystem state: ${superblock.state}`];
    return checkResult(context, 'damaged', problem, { evidence });
  }
  const detail =
    run.exitCode === 0 && onlyTotals(findings)
      ? 'The free counts in the superblock are wrong, nothing else: no data are affected. --repair sets them right.'
      : `e2fsck found ${counted(findingCount, 'line')} of problems; --repair mends them.`;
  return checkResult(context, 'damaged', detail, { evidence: findings });
};

const judgeReplayed = (context: CheckContext, run: CheckerRun): CheckResult => {
  const problems = run.findings.filter((line) => !isReplayResidue(line));
  const mended = (run.exitCode & ~(e2fsckExit.corrected | e2fsckExit.reboot)) === 0;
  if (mended && problems.length === 0) {
    // What every replay leaves is no evidence of damage: a mount puts it right.
    return checkResult(
      context,
      'damaged',
      `${notReplayed} After replay it is consistent; --repair replays it.`,
      { needsReplay: true },
    );
  }
  const rest = mended
    ? '--repair replays it and mends the rest.'
    : 'e2fsck could not mend all of them on a copy; --repair tries it with an undo file.';
  return checkResult(
    context,
    'damaged',
    `${notReplayed} After replay ${counted(problems.length, 'line')} of problems remain; ${rest}`,
    { needsReplay: true, evidence: problems },
  );
};

/**
 * Replays the journal on a sparse copy of the metadata and checks that. With a journal that waits,
 * `e2fsck -n` on the device would compare metadata that are about to be overwritten.
 */
const lookAtCopy = async (
  context: CheckContext,
  superblock: ExtSuperblock,
): Promise<CheckResult> => {
  const parts = { needsReplay: true };
  // e2fsck would look for the journal's device by UUID and replay, which means write, it.
  if (superblock.externalJournal) {
    const why = `${notReplayed} The journal is on another device, where it cannot be replayed without writing: nothing more was looked at.`;
    return checkResult(context, 'damaged', why, parts);
  }
  const tooSmall = await lacksSpace(context, superblock.metadataBytes);
  if (tooSmall !== null) {
    return checkResult(context, 'skipped', `${notReplayed} ${tooSmall}`, parts);
  }
  const copy = scratchPath(context, 'metadata');
  try {
    context.onProgress({ message: 'copying the metadata', fraction: null });
    const image = await runTool(context, {
      program: 'e2image',
      args: ['-r', context.device, copy],
      accept: [0, 1],
      changes: false,
    });
    if (image.exitCode !== 0) return copyFailed(context, image.stderr);
    return judgeReplayed(
      context,
      await runE2fsck(context, { mode: '-y', path: copy, changes: false }),
    );
  } finally {
    await context.host.files.removeFile(copy);
  }
};

const copyFailed = (context: CheckContext, stderr: string): CheckResult => {
  const evidence = stderr.split('\n').filter((line) => !/^e2image \d/.test(line));
  const full = saysFull(stderr);
  const why = full
    ? `The copy of its metadata did not fit into ${context.scratchDirectory}: nothing more was looked at.`
    : 'Its metadata cannot be read as a whole, so that it was not looked at after replay.';
  return checkResult(context, full ? 'skipped' : 'damaged', `${notReplayed} ${why}`, {
    needsReplay: true,
    evidence,
  });
};

/** Looks at an ext2, ext3 or ext4 file system without writing one byte to the device. */
export const lookAtExt = async (context: CheckContext): Promise<CheckResult> => {
  const superblock = await readSuperblock(context);
  return superblock?.needsRecovery === true
    ? lookAtCopy(context, superblock)
    : lookAtDevice(context, superblock);
};
