import { checkResult, orResult } from './check-result.ts';
import type { CheckResult, RepairContext } from './file-system.ts';
import { replayByMounting } from './replay-mount.ts';
import { judgeXfs, logCannotReplay, lookAtXfs } from './xfs-look.ts';
import { runXfsRepair } from './xfs-repair-tool.ts';

type Replayed = { readonly failure: CheckResult | null; readonly logThrownAway: boolean };

/** Mounts and unmounts the device; throws the log away only when that fails and it was allowed. */
const replayLog = async (
  context: RepairContext,
  replays: boolean,
  before: CheckResult,
): Promise<Replayed> => {
  const replay = {
    path: context.device,
    fsType: 'xfs',
    options: ['nouuid'],
    changes: true,
  } as const;
  const words = replays ? await replayByMounting(context, replay) : before.evidence.join('\n');
  if (words === null) return { failure: null, logThrownAway: false };
  const allowed = context.lastResorts.zeroXfsLog;
  return { failure: allowed ? null : logCannotReplay(context, words), logThrownAway: allowed };
};

const mend = async (context: RepairContext): Promise<CheckResult> => {
  const { result: before, replays, agcount } = await lookAtXfs(context);
  if (before.outcome === 'clean') return before;
  if (before.outcome === 'skipped' && !before.needsReplay) return before;
  const { failure, logThrownAway } = before.needsReplay
    ? await replayLog(context, replays, before)
    : { failure: null, logThrownAway: false };
  if (failure !== null) return failure;
  if (!logThrownAway && before.needsReplay) {
    const look = await runXfsRepair(context, 'look', context.device, agcount);
    if (look.exitCode === 0) {
      const detail = 'The log was replayed, and a look after that found no problem.';
      return checkResult(context, 'repaired', detail);
    }
  }
  const mode = logThrownAway ? 'zero-log' : 'repair';
  const run = await runXfsRepair(context, mode, context.device, agcount);
  const after = judgeXfs(context, await runXfsRepair(context, 'look', context.device, agcount));
  if (after.outcome !== 'clean') {
    const evidence = [...after.evidence, ...run.findings];
    const detail = `xfs_repair could not mend all of it (exit code ${run.exitCode}): ${after.detail}`;
    return checkResult(context, 'damaged', detail, { evidence });
  }
  const done = logThrownAway
    ? 'The log was thrown away and the rest mended; look into lost+found for files without a name.'
    : 'It was mended; look into lost+found for files without a name.';
  return checkResult(context, 'repaired', `${done} A second look found no problem.`, {
    evidence: run.findings,
  });
};

/** Replays the log, then mends what is left. XFS has no undo file: what it writes stays. */
export const repairXfs = (context: RepairContext): Promise<CheckResult> =>
  orResult(
    () => mend(context),
    (words) => checkResult(context, 'damaged', `The repair stopped: ${words}`),
  );
