import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type FakeFile, fakeHost } from '../../fixtures/fake-host.ts';
import { parseMountInfo } from '../host/mount-table.ts';
import { majorMinorOf } from './device-number.ts';
import { parseSwaps, readUses } from './mounts.ts';

const usesOf = async (files: Readonly<Record<string, FakeFile>>) =>
  readUses(fakeHost(() => null, files));

/** As the kernel writes it (fs/proc_namespace.c: mangle of space, tab, newline, backslash, hash). */
const mangle = (path: string): string =>
  path.replaceAll(
    /[ \t\n\\#]/g,
    (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );

test('any mount point comes back from mountinfo as it was', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(' ', '\t', '\n', '\\', '#', '0', '4', '-', 'é', '/') }),
      (name) => {
        const line = `36 35 8:1 / ${mangle(`/${name}`)} rw shared:1 - ext4 /dev/sda1 rw\n`;
        expect(parseMountInfo(line)[0]?.path).toBe(`/${name}`);
      },
    ),
  );
});

test('device numbers above 255 are put together as the kernel splits them', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 4095 }),
      fc.integer({ min: 0, max: 0xfffff }),
      (major, minor) => {
        const rdev = (minor & 0xff) + major * 256 + (minor >>> 8) * 2 ** 20;
        expect(majorMinorOf(rdev)).toBe(`${major}:${minor}`);
      },
    ),
  );
});

test('mounts are found by device number, also those that only PID 1 sees', async () => {
  const { byDevice } = await usesOf({
    '/proc/self/mountinfo': '1 0 8:1 / / rw - ext4 /dev/root rw\n',
    '/proc/1/mountinfo':
      '1 0 8:1 / / rw - ext4 /dev/root rw\n2 1 8:17 / /mnt/my\\040disk rw - xfs /dev/sdb1 rw\n',
  });
  expect(byDevice.get('8:1')).toEqual([{ kind: 'mount', path: '/', fsType: 'ext4' }]);
  expect(byDevice.get('8:17')?.[0]).toMatchObject({ path: '/mnt/my disk' });
});

test('swap partitions and the device of a swap file are in use', async () => {
  const { byDevice } = await usesOf({
    '/proc/self/mountinfo': '1 0 8:1 / / rw - ext4 /dev/sda1 rw\n',
    '/proc/swaps':
      'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/dm-1                               partition\t4194300\t\t0\t\t-2\n/swap\\040file                          file\t\t4194300\t\t0\t\t-3\n',
    '/dev/dm-1': { block: [253, 1] },
  });
  expect(byDevice.get('253:1')).toEqual([{ kind: 'swap' }]);
  expect(byDevice.get('8:1')).toContainEqual({ kind: 'swap' });
  expect(parseSwaps('heading\n/dev/sdb2\\040(deleted) partition 1 0 -2\n')[0]?.path).toBe(
    '/dev/sdb2',
  );
});

const btrfs = {
  '/sys/fs/btrfs/features/x': '1',
  '/sys/fs/btrfs/5f3c-aa/devices/sdb1': '',
  '/sys/fs/btrfs/5f3c-aa/devices/sdc1': '',
  '/sys/class/block/sdb1/dev': '8:17\n',
  '/sys/class/block/sdc1/dev': '8:33\n',
  '/dev/sdb1': { block: [8, 17] },
} as const;

test('a btrfs on several devices is mounted from all of them', async () => {
  const { byDevice } = await usesOf({
    ...btrfs,
    '/proc/self/mountinfo': '1 0 0:40 /@ /data rw - btrfs /dev/sdb1 rw,subvol=/@\n',
  });
  expect([...byDevice.keys()]).toEqual(['8:17', '8:33']);
});

test('a btrfs whose source is no node counts for every mounted btrfs', async () => {
  const { byDevice } = await usesOf({
    ...btrfs,
    '/proc/self/mountinfo': '1 0 0:40 / / rw - btrfs /dev/root rw\n',
  });
  expect([...byDevice.keys()]).toEqual(['8:17', '8:33']);
});

test('an overlay as root stands on the devices of its directories', async () => {
  const { byDevice } = await usesOf({
    '/proc/self/mountinfo': [
      '1 0 0:30 / / rw - overlay overlay rw,lowerdir=/run/live/rootfs,upperdir=/run/live/rw/up,workdir=/run/live/rw/w',
      '2 1 7:0 / /run/live/rootfs ro - squashfs /dev/loop0 ro',
      '3 1 0:31 / /run/live/rw rw - tmpfs tmpfs rw',
    ].join('\n'),
  });
  expect(byDevice.get('7:0')).toContainEqual({ kind: 'mount', path: '/', fsType: 'overlay' });
});
