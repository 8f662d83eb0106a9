import { checkResult, counted, orResult } from './check-result.ts';
import { type CheckerRun, runTool } from './checker.ts';
import type { CheckContext, CheckResult } from './file-system.ts';
import { kernelCannot, replayByMounting } from './replay-mount.ts';
import { lacksSpace, saysFull, scratchPath } from './scratch.ts';
import { runXfsRepair } from './xfs-repair-tool.ts';
import { copyBytes, readGeometry, readLogState, type XfsGeometry } from './xfs-state.ts';

const notReplayed = 'The log has not been replayed (the system was cut off).';

export type XfsLook = {
  readonly result: CheckResult;
  /** False when replaying failed on a copy: then it is not tried on the disk. */
  readonly replays: boolean;
  readonly agcount: number;
};

/** The result when the log is damaged itself: mounting cannot replay it. */
export const logCannotReplay = (context: CheckContext, mountWords: string): CheckResult =>
  checkResult(
    context,
    'damaged',
    'The log cannot be replayed, so that only --xfs-zero-log is left: it throws the log away, and with it the last changes before the system was cut off; files written then may be lost or empty.',
    { needsReplay: true, evidence: mountWords.split('\n') },
  );

/**
 * What xfsprogs says of features that it does not know. A damaged superblock, whose bits may be
 * anything, is called bad before that.
 */
const isTooNew = (lines: readonly string[]): boolean =>
  lines.some((line) =>
    /superblock has unknown .*features|unsupported filesystem features/i.test(line),
  ) && !lines.some((line) => /^bad primary superblock/.test(line));

/** No verdict: the file system has features that the tools of this machine do not know. */
const tooNew = (context: CheckContext, evidence: readonly string[]): CheckResult =>
  checkResult(
    context,
    'skipped',
    'It was made by a newer system than the xfsprogs of this machine know, so that it was not judged: use a rescue system with newer ones.',
    { evidence },
  );

export const judgeXfs = (context: CheckContext, run: CheckerRun): CheckResult => {
  if (run.exitCode === 0) return checkResult(context, 'clean', 'xfs_repair found no problem.');
  if (isTooNew(run.findings)) return tooNew(context, run.findings);
  const detail = `xfs_repair found ${counted(run.findingCount, 'line')} of problems; --repair mends them.`;
  return checkResult(context, 'damaged', detail, { evidence: run.findings });
};

const judgeReplayed = (context: CheckContext, run: CheckerRun): CheckResult => {
  if (isTooNew(run.findings)) return tooNew(context, run.findings);
  const rest =
    run.exitCode === 0
      ? 'After replay it is consistent; --repair replays it.'
      : `After replay ${counted(run.findingCount, 'line')} of problems remain; --repair replays it and mends the rest.`;
  return checkResult(context, 'damaged', `${notReplayed} ${rest}`, {
    needsReplay: true,
    evidence: run.findings,
  });
};

/** Copies the metadata into a sparse image; null when done, otherwise the result that says why. */
const copyMetadata = async (context: CheckContext, image: string): Promise<CheckResult | null> => {
  const dump = `${image}.dump`;
  context.onProgress({ message: 'copying the metadata', fraction: null });
  try {
    for (const [program, args] of [
      // -a and -o: names and stale bytes as they are. Changed names would not fit the log's.
      ['xfs_metadump', ['-a', '-o', context.device, dump]],
      ['xfs_mdrestore', [dump, image]],
    ] as const) {
      const { exitCode, stderr } = await runTool(context, {
        program,
        args,
        accept: [0, 1],
        changes: false,
      });
      if (exitCode !== 0) return copyFailed(context, stderr);
    }
    return null;
  } finally {
    await context.host.files.removeFile(dump);
  }
};

const copyFailed = (context: CheckContext, stderr: string): CheckResult => {
  if (isTooNew(stderr.split('\n'))) return tooNew(context, stderr.split('\n'));
  const full = saysFull(stderr);
  const why = full
    ? `The copy of its metadata did not fit into ${context.scratchDirectory}: nothing more was looked at.`
    : 'Its metadata cannot be read as a whole, so that it was not looked at after replay.';
  return checkResult(context, full ? 'skipped' : 'damaged', `${notReplayed} ${why}`, {
    needsReplay: true,
    evidence: stderr.split('\n'),
  });
};

/** A kernel that is too old for the file system refuses it in the same words as a bad log. */
const judgeNotReplayed = (
  context: CheckContext,
  image: string,
  agcount: number,
  words: string,
): Promise<CheckResult> => {
  const lost = logCannotReplay(context, words);
  return orResult(
    async () => {
      const { findings } = await runXfsRepair(context, 'look', image, agcount);
      return isTooNew(findings) ? tooNew(context, findings) : lost;
    },
    () => lost,
  );
};

const lookAtCopy = async (context: CheckContext, geometry: XfsGeometry): Promise<XfsLook> => {
  const { agcount } = geometry;
  const skipped = (why: string): XfsLook => ({
    result: checkResult(context, 'skipped', `${notReplayed} ${why}`, { needsReplay: true }),
    replays: true,
    agcount,
  });
  const tooSmall = await lacksSpace(context, copyBytes(geometry));
  if (tooSmall !== null) return skipped(tooSmall);
  const image = scratchPath(context, 'metadata');
  try {
    const failed = await copyMetadata(context, image);
    if (failed !== null) return { result: failed, replays: true, agcount };
    const options = ['loop', 'nouuid'];
    const replay = { path: image, fsType: 'xfs', options, changes: false } as const;
    const words = await replayByMounting(context, replay);
    if (words !== null && kernelCannot(words)) {
      return skipped('The kernel of this machine cannot mount XFS: nothing more was looked at.');
    }
    if (words !== null) {
      const result = await judgeNotReplayed(context, image, agcount, words);
      return { result, replays: false, agcount };
    }
    const run = await runXfsRepair(context, 'look', image, agcount);
    return { result: judgeReplayed(context, run), replays: true, agcount };
  } finally {
    await context.host.files.removeFile(image);
  }
};

/**
 * Looks at an XFS without writing one byte to the device. With a log that waits, `xfs_repair -n`
 * on the device reports errors that are not real: it is replayed on a copy of the metadata.
 */
export const lookAtXfs = async (context: CheckContext): Promise<XfsLook> => {
  const geometry = await readGeometry(context);
  const agcount = geometry?.agcount ?? 1;
  if (geometry?.logstart === 0) {
    const why = 'Its log is on another device (an external log), which rescuekit does not handle.';
    return { result: checkResult(context, 'skipped', why), replays: false, agcount };
  }
  const state = geometry === null ? 'unreadable' : await readLogState(context);
  if (geometry !== null && state === 'dirty') return lookAtCopy(context, geometry);
  const run = await runXfsRepair(context, 'look', context.device, agcount);
  return { result: judgeXfs(context, run), replays: true, agcount };
};
