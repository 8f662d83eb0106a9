import { expect, test } from 'vitest';
import { makeDevice } from '../../fixtures/device.ts';
import type { Device, Stack } from '../devices/device.ts';
import { contentWords } from './device-words.ts';

const words = (stack: Partial<Stack>, more: Partial<Device> = {}): string =>
  contentWords(
    makeDevice('/dev/vdb1', {
      stack: {
        layer: 'lvm',
        name: null,
        uuid: null,
        type: null,
        state: 'active',
        present: null,
        expected: null,
        ...stack,
      },
      ...more,
    }),
  ).join('  ');

test.each<[string, Partial<Stack>, Partial<Device>]>([
  ['LVM PV → web-data', { name: 'web-data' }, { fsType: 'LVM2_member' }],
  [
    'LVM PV → vg0  partial 1 of 3 disks',
    { name: 'vg0', state: 'partial', present: 1, expected: 3 },
    { fsType: 'LVM2_member' },
  ],
  ['LVM PV → old  exported', { name: 'old', state: 'exported' }, { fsType: 'LVM2_member' }],
  [
    'RAID member → web-3:0 (raid1)  degraded 1 of 2',
    { layer: 'md', name: 'web-3:0', type: 'raid1', state: 'degraded', present: 1, expected: 2 },
    { fsType: 'linux_raid_member', label: 'web-3:0' },
  ],
  ['raid1', { layer: 'md', type: 'raid1' }, {}],
  [
    'LUKS2 (encrypted)  locked',
    { layer: 'luks', type: 'LUKS2', state: 'locked' },
    { fsType: 'crypto_LUKS' },
  ],
  ['thin  xfs', { type: 'thin' }, { fsType: 'xfs' }],
  ['ext4', { type: 'linear' }, { fsType: 'ext4' }],
  [
    'btrfs  degraded 1 of 2',
    { layer: 'btrfs', state: 'degraded', present: 1, expected: 2 },
    { fsType: 'btrfs' },
  ],
  ['ext4  stale', { layer: 'mapper', state: 'stale' }, { fsType: 'ext4' }],
  ['ext4  duplicate of /dev/vda1', {}, { fsType: 'ext4', duplicateOf: '/dev/vda1' }],
])('a person reads %s', (text, stack, more) => {
  expect(words(stack, more)).toBe(text);
});

test('names from the disk cannot write to the terminal', () => {
  expect(words({ name: 'v\u001b[2Jg' }, { fsType: 'LVM2_member' })).not.toContain('\u001b');
});
