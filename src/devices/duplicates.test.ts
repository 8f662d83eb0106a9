import { expect, test } from 'vitest';
import { makeDevice, makePartition } from '../../fixtures/device.ts';
import type { Device } from './device.ts';
import { findDuplicates } from './duplicates.ts';

const find = (tree: readonly Device[], members: Readonly<Record<string, string>> = {}) =>
  Object.fromEntries(findDuplicates(tree, new Map(Object.entries(members))));

const root = { fsType: 'xfs', uuid: 'aaaa' };

test('of two clones the one that the host uses is the original, wherever it stands', () => {
  const used = { ...root, protected: { reason: 'mounted at /' } };
  const tree = [
    makeDevice('/dev/vda', { children: [makePartition('/dev/vda1', 1, root)] }),
    makeDevice('/dev/vdb', { children: [makePartition('/dev/vdb1', 1, used)] }),
  ];
  expect(find(tree)).toEqual({ '/dev/vda1': '/dev/vdb1' });
});

test('the same id on another kind of file system is no duplicate', () => {
  const tree = [makeDevice('/dev/vda', root), makeDevice('/dev/vdb', { ...root, fsType: 'swap' })];
  expect(find(tree)).toEqual({});
});

test('members of one array share its id and are told apart by their own', () => {
  const member = { fsType: 'linux_raid_member', uuid: 'array' };
  const tree = ['/dev/vda', '/dev/vdb', '/dev/vdc'].map((path) => makeDevice(path, member));
  const own = { '/dev/vda': 'one', '/dev/vdb': 'two', '/dev/vdc': 'one' };
  expect(find(tree, own)).toEqual({ '/dev/vdc': '/dev/vda' });
  expect(find(tree)).toEqual({});
});

test('what stands on a device and shows the same is not a copy of it', () => {
  const cover = makeDevice('/dev/dm-0', { ...root, name: 'dm-0', kind: 'mapper' });
  expect(find([makeDevice('/dev/vda', { ...root, children: [cover] })])).toEqual({});
});

test('a duplicate of a volume is told by the name of the volume', () => {
  const volume = makeDevice('/dev/dm-0', {
    ...root,
    name: 'dm-0',
    kind: 'lvm',
    aliases: ['/dev/mapper/vg0-root'],
  });
  const tree = [makeDevice('/dev/vda', { children: [volume] }), makeDevice('/dev/vdb', root)];
  expect(find(tree)).toEqual({ '/dev/vdb': '/dev/mapper/vg0-root' });
});
