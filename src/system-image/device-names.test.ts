import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isArrayName, parseKernelName, parseVolumeName } from './device-names.ts';

test.each([
  ['/dev/sda2', 'sda', 2, true],
  ['/dev/sdaa12', 'sdaa', 12, false],
  ['/dev/vdb', 'vdb', null, false],
  ['/dev/xvda1', 'xvda', 1, true],
  ['/dev/hda5', 'hda', 5, true],
  ['/dev/nvme0n1p3', 'nvme0n1', 3, true],
  ['/dev/nvme1n1', 'nvme1n1', null, false],
  ['/dev/mmcblk0p2', 'mmcblk0', 2, true],
  ['/dev/md126p1', 'md126', 1, false],
])('%s is taken apart', (path, disk, partition, first) => {
  expect(parseKernelName(path)).toEqual({ disk, partition, first });
});

test.each(['/dev/mapper/vg-lv', '/dev/vg/lv', '/dev/nvme0n1p', '/dev/sda1x', '/dev/root'])(
  '%s is no name of a disk or partition',
  (path) => {
    expect(parseKernelName(path)).toBeNull();
  },
);

test('doubled dashes in a mapper name are dashes of the group or volume', () => {
  expect(parseVolumeName('/dev/mapper/my--vg-var--log')).toEqual({
    group: 'my-vg',
    volume: 'var-log',
  });
  expect(parseVolumeName('/dev/mapper/luks-0a34-77ff')).toBeNull();
  expect(parseVolumeName('/dev/mapper/cryptroot')).toBeNull();
  expect(parseVolumeName('/dev/md/root')).toBeNull();
});

const lvmName = fc.stringMatching(/^[a-z0-9+_.][a-z0-9+_.-]{0,10}[a-z0-9]$/);

test('any group and volume survive the way into a mapper name and back', () => {
  fc.assert(
    fc.property(lvmName, lvmName, (group, volume) => {
      const double = (name: string) => name.replaceAll('-', '--');
      const path = `/dev/mapper/${double(group)}-${double(volume)}`;
      expect(parseVolumeName(path)).toEqual({ group, volume });
    }),
  );
});

test('array names are known by number and by name', () => {
  expect(['/dev/md0', '/dev/md/root', '/dev/md127p1'].every(isArrayName)).toBe(true);
  expect(isArrayName('/dev/mdx/lv')).toBe(false);
});
