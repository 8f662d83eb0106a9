import { btrfsCheckArgs, lookAtBtrfs, runBtrfsCheck } from './btrfs-check.ts';
import { btrfsOptions } from './btrfs-options.ts';
import { checkResult, orResult } from './check-result.ts';
import { runTool } from './checker.ts';
import type { CheckContext, CheckResult, FileSystem, RepairContext } from './file-system.ts';
import { replayArgs, replayByMounting } from './replay-mount.ts';

/** The kernel remembers each btrfs device it has seen, and keeps a detached one in its list. */
const forget = async ({ host, device }: CheckContext): Promise<void> => {
  await runTool(
    { host, signal: new AbortController().signal },
    {
      program: 'btrfs',
      args: ['device', 'scan', '--forget', device],
      // 1: the kernel does not know it, which is what was wanted.
      accept: [0, 1],
      changes: false,
    },
  );
};

const replayLogTree = async (context: RepairContext): Promise<string | null> => {
  try {
    return await replayByMounting(context, {
      path: context.device,
      fsType: 'btrfs',
      options: btrfsOptions(context.btrfs),
      changes: true,
    });
  } finally {
    await forget(context);
  }
};

const logTreeStays = (context: RepairContext, mountWords: string): CheckResult =>
  checkResult(
    context,
    'damaged',
    'The log tree cannot be replayed by mounting. `btrfs rescue zero-log` would throw it away, and with it the last seconds of writes; rescuekit does not do that.',
    { needsReplay: true, evidence: mountWords.split('\n') },
  );

const repaired = (context: RepairContext, done: string, evidence: readonly string[]) =>
  checkResult(context, 'repaired', `${done}, and a second look found no problem.`, { evidence });

const mend = async (context: RepairContext): Promise<CheckResult> => {
  const before = await lookAtBtrfs(context);
  if (before.outcome !== 'damaged') return before;
  if (before.needsReplay) {
    const words = await replayLogTree(context);
    if (words !== null && !context.lastResorts.btrfsRepair) return logTreeStays(context, words);
    const look = await lookAtBtrfs(context);
    if (look.outcome === 'clean') return repaired(context, 'The log tree was replayed', []);
    if (!context.lastResorts.btrfsRepair) return look;
  }
  if (!context.lastResorts.btrfsRepair) return before;
  const run = await runBtrfsCheck(context, 'repair');
  const after = await lookAtBtrfs(context);
  return after.outcome === 'clean'
    ? repaired(context, 'btrfs check --repair mended it', run.findings)
    : checkResult(
        context,
        'damaged',
        `btrfs check --repair did not mend it. ${after.detail}`,
        after,
      );
};

/**
 * btrfs. `rescue=nologreplay` (Linux 5.9 and newer): `ro` alone would replay the log tree. Its
 * `check --repair` runs on the person's own word only.
 */
export const btrfsFileSystem: FileSystem = {
  types: ['btrfs'],
  lookOptions: ['ro', 'rescue=nologreplay'],
  writeOptions: [],
  checkCommands: (device) => [
    ['btrfs', 'inspect-internal', 'dump-super', device],
    ['btrfs', ...btrfsCheckArgs('look', device)],
  ],
  repairCommands: (device) => [
    ['mount', ...replayArgs({ path: device, fsType: 'btrfs', options: [] }, 'MOUNTPOINT')],
    ['umount', 'MOUNTPOINT'],
    ['btrfs', ...btrfsCheckArgs('look', device)],
  ],
  check: (context) =>
    orResult(
      () => lookAtBtrfs(context),
      (words) => checkResult(context, 'skipped', `It could not be looked at: ${words}`),
    ),
  repair: (context) =>
    orResult(
      () => mend(context),
      (words) => checkResult(context, 'damaged', `The repair stopped: ${words}`),
    ),
};
