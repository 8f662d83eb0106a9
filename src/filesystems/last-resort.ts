import { btrfsCheckArgs } from './btrfs-check.ts';
import type { CheckResult, LastResorts } from './file-system.ts';
import { xfsRepairArgs } from './xfs-repair-tool.ts';

export type LastResort = keyof LastResorts;

/**
 * The last resort that is left for a file system which an ordinary repair could not mend; null when
 * there is none.
 *
 * @param result of `repair`, not of a look: an XFS log counts as lost only when replaying has failed.
 */
export const lastResortFor = (result: CheckResult): LastResort | null => {
  if (result.outcome !== 'damaged') return null;
  switch (result.fsType) {
    case 'xfs':
      return result.needsReplay && result.evidence.length > 0 ? 'zeroXfsLog' : null;
    case 'btrfs':
      return 'btrfsRepair';
    case 'ext2':
    case 'ext3':
    case 'ext4':
      return /superblock/i.test(result.detail) && /Backups can be read/.test(result.detail)
        ? 'backupSuperblock'
        : null;
    default:
      return null;
  }
};

/** The command of a last resort as it is shown beforehand. */
export const lastResortCommand = (resort: LastResort, device: string): readonly string[] => {
  switch (resort) {
    case 'zeroXfsLog':
      return ['xfs_repair', ...xfsRepairArgs('zero-log', device)];
    case 'btrfsRepair':
      return ['btrfs', ...btrfsCheckArgs('repair', device)];
    case 'backupSuperblock':
      return ['e2fsck', '-f', '-y', '-b', 'BLOCK', '-B', 'SIZE', '-z', 'UNDOFILE', device];
  }
};
