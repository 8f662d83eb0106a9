import { checkResult, orResult } from './check-result.ts';
import type { FileSystem } from './file-system.ts';
import { replayArgs } from './replay-mount.ts';
import { lookAtXfs } from './xfs-look.ts';
import { repairXfs } from './xfs-repair.ts';
import { xfsRepairArgs } from './xfs-repair-tool.ts';

/**
 * XFS. `nouuid` always: a clone of one cloud image has the UUID of its brothers, and the kernel
 * refuses the second mount with no more than "wrong fs type". `ro` alone would replay the log.
 */
export const xfsFileSystem: FileSystem = {
  types: ['xfs'],
  lookOptions: ['ro', 'norecovery', 'nouuid'],
  writeOptions: ['nouuid'],
  checkCommands: (device) => [
    ['xfs_logprint', '-t', device],
    ['xfs_repair', ...xfsRepairArgs('look', device)],
  ],
  repairCommands: (device) => [
    ['mount', ...replayArgs({ path: device, fsType: 'xfs', options: ['nouuid'] }, 'MOUNTPOINT')],
    ['umount', 'MOUNTPOINT'],
    ['xfs_repair', ...xfsRepairArgs('look', device)],
    ['xfs_repair', ...xfsRepairArgs('repair', device)],
    ['xfs_repair', ...xfsRepairArgs('look', device)],
  ],
  check: (context) =>
    orResult(
      async () => (await lookAtXfs(context)).result,
      (words) => checkResult(context, 'skipped', `It could not be looked at: ${words}`),
    ),
  repair: repairXfs,
};
