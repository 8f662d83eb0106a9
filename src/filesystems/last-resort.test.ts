import { describe, expect, it } from 'vitest';
import { checkResult } from './check-result.ts';
import { lastResortCommand, lastResortFor } from './last-resort.ts';

const damaged = (fsType: string, detail: string, evidence: readonly string[] = []) =>
  checkResult({ device: '/dev/vdb1', fsType }, 'damaged', detail, { needsReplay: true, evidence });

describe('the last resort', () => {
  it('for XFS is throwing the log away, once replaying it has failed', () => {
    expect(lastResortFor(damaged('xfs', 'The log cannot be replayed.', ['mount: no']))).toBe(
      'zeroXfsLog',
    );
    expect(lastResortFor(damaged('xfs', 'The log has not been replayed.'))).toBeNull();
  });

  it('for ext is a backup superblock, where one can be read', () => {
    const text = 'The superblock or the group descriptors are damaged.';
    expect(
      lastResortFor(damaged('ext4', `${text} Backups can be read at block 8193 (block size 1024)`)),
    ).toBe('backupSuperblock');
    expect(lastResortFor(damaged('ext4', `${text} No backup superblock was found.`))).toBeNull();
    expect(lastResortFor(damaged('ext4', 'e2fsck found 3 problems.'))).toBeNull();
  });

  it('is not offered for what is not damaged, and for FAT there is none', () => {
    expect(
      lastResortFor(checkResult({ device: '/dev/vdb1', fsType: 'btrfs' }, 'clean', 'fine')),
    ).toBeNull();
    expect(lastResortFor(damaged('vfat', 'FATs differ'))).toBeNull();
  });

  it('is shown as the command that will run', () => {
    expect(lastResortCommand('zeroXfsLog', '/dev/vdb1').join(' ')).toBe(
      'xfs_repair -e -L /dev/vdb1',
    );
    expect(lastResortCommand('btrfsRepair', '/dev/vdb1').join(' ')).toBe(
      'btrfs check --repair --progress /dev/vdb1',
    );
  });
});
