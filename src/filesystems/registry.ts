import { btrfsFileSystem } from './btrfs.ts';
import { checkResult } from './check-result.ts';
import { ext2FileSystem, extFileSystem } from './ext.ts';
import type { CheckResult, FileSystem } from './file-system.ts';
import { readOnlyMedia } from './read-only-media.ts';
import { vfatFileSystem } from './vfat.ts';
import { xfsFileSystem } from './xfs.ts';

const fileSystems: readonly FileSystem[] = [
  ext2FileSystem,
  extFileSystem,
  xfsFileSystem,
  btrfsFileSystem,
  vfatFileSystem,
  readOnlyMedia,
];

const byType = new Map(fileSystems.flatMap((one) => one.types.map((type) => [type, one] as const)));

/** The file system for one of blkid's TYPEs; null when rescuekit cannot look at it. */
export const fileSystemFor = (fsType: string): FileSystem | null => byType.get(fsType) ?? null;

const reasons: Readonly<Record<string, string>> = {
  swap: 'Swap space holds no files: nothing to check.',
  swsuspend: 'A suspended system waits here: resume it or give it up on its own machine first.',
  crypto_LUKS: 'It is encrypted: what is inside can be checked once it is opened.',
  BitLocker: 'It is encrypted by BitLocker: check it with Windows.',
  LVM2_member: 'It is an LVM physical volume: its logical volumes are checked one by one.',
  linux_raid_member: 'It is a member of a RAID array: the assembled array is checked.',
  isw_raid_member: 'It is a member of a firmware RAID: the assembled array is checked.',
  ddf_raid_member: 'It is a member of a firmware RAID: the assembled array is checked.',
  jbd: 'It is the journal of an ext file system on another device: it is checked with that.',
  xfs_external_log: 'It is the log of an XFS on another device: it is checked with that.',
  zfs_member: 'It belongs to a ZFS pool: import the pool and run zpool scrub.',
  ntfs: 'NTFS is checked by Windows (chkdsk); ntfsfix only marks it for that.',
  bcachefs: 'rescuekit has no checker for bcachefs: run bcachefs fsck by hand.',
  exfat: 'rescuekit has no checker for exFAT: run fsck.exfat by hand.',
  f2fs: 'rescuekit has no checker for F2FS: run fsck.f2fs by hand.',
  jfs: 'rescuekit has no checker for JFS: run fsck.jfs by hand.',
  reiserfs: 'rescuekit has no checker for ReiserFS: run reiserfsck by hand.',
};

/** The result for a device that holds no file system that rescuekit can look at. */
export const skippedResult = (device: string, fsType: string | null): CheckResult =>
  fsType === null
    ? checkResult({ device, fsType: 'unknown' }, 'skipped', 'No known file system was found on it.')
    : checkResult(
        { device, fsType },
        'skipped',
        reasons[fsType] ?? `rescuekit has no checker for ${fsType}.`,
      );
