import { expect, test } from 'vitest';
import type { DeviceUse } from './mounts.ts';
import { findProtection, type Ownership, type ProtectionNode } from './protection.ts';

const node = (
  name: string,
  kind: ProtectionNode['kind'],
  children: readonly string[] = [],
  fsType: string | null = null,
): ProtectionNode => ({ name, shownName: name, majorMinor: name, kind, fsType, children });

const mount = (path: string): DeviceUse => ({ kind: 'mount', path, fsType: 'ext4' });

const reasons = (
  nodes: readonly ProtectionNode[],
  uses: Readonly<Record<string, readonly DeviceUse[]>>,
  own: Partial<Ownership> & { readonly zfsMounted?: boolean } = {},
) =>
  Object.fromEntries(
    findProtection(
      new Map(nodes.map((each) => [each.name, each])),
      { byDevice: new Map(Object.entries(uses)), zfsMounted: own.zfsMounted ?? false },
      { isOwnMount: () => false, ...own },
    ),
  );

const disk = [
  node('sda', 'disk', ['sda1', 'sda2']),
  node('sda1', 'partition'),
  node('sda2', 'partition'),
];

test("the disk with the machine's root is protected as a whole", () => {
  const text = "this machine's own disk: / is on it";
  expect(reasons(disk, { sda1: [mount('/mnt'), mount('/')] })).toEqual({
    sda: text,
    sda1: text,
    sda2: text,
  });
});

test('a mounted partition protects its disk and leaves its neighbours free', () => {
  expect(reasons(disk, { sda1: [mount('/mnt/x')] })).toEqual({
    sda: 'mounted at /mnt/x',
    sda1: 'mounted at /mnt/x',
  });
});

test("a mount of rescuekit's own protects nothing", () => {
  const own = { isOwnMount: (path: string) => path.startsWith('/run/rescuekit/') };
  expect(reasons(disk, { sda1: [mount('/run/rescuekit/7f3a/root')] }, own)).toEqual({});
});

test('a swap area in use is protected', () => {
  expect(reasons(disk, { sda2: [{ kind: 'swap' }] }).sda).toBe('used as swap by this machine');
});

const mirror = [
  node('sda', 'disk', ['md0']),
  node('sdb', 'disk', ['md0']),
  node('md0', 'raid', ['vg0-a', 'vg0-b']),
  node('vg0-a', 'lvm'),
  node('vg0-b', 'lvm'),
];

test('every member of an array is protected by what is mounted far above, and so is its group', () => {
  const found = reasons(mirror, { 'vg0-a': [mount('/srv')] });
  expect(found).toEqual({
    sda: 'mounted at /srv',
    sdb: 'mounted at /srv',
    md0: 'mounted at /srv',
    'vg0-a': 'mounted at /srv',
    'vg0-b': 'same group: mounted at /srv',
  });
});

test('a stack of which nothing is in use is free, for udev activates that of any attached disk', () => {
  expect(reasons(mirror, {})).toEqual({});
});

test('the paths of a multipath disk are not free, the disk is', () => {
  const nodes = [node('sda', 'disk', ['mpatha']), node('mpatha', 'multipath')];
  expect(reasons(nodes, {})).toEqual({
    sda: 'one path of the multipath disk mpatha: choose that one',
  });
});

test('members of a mounted ZFS pool cannot be told apart and are all protected', () => {
  const nodes = [node('sda', 'disk', [], 'zfs_member')];
  expect(reasons(nodes, {})).toEqual({});
  expect(reasons(nodes, {}, { zfsMounted: true }).sda).toContain('ZFS pool');
});

test('many volumes on many devices are looked at once each', () => {
  const lower = Array.from({ length: 40 }, (_, index) => `p${index}`);
  const upper = Array.from({ length: 400 }, (_, index) => `vg-v${index}`);
  const nodes = [
    ...lower.map((name) => node(name, 'disk', upper)),
    ...upper.map((name) => node(name, 'lvm')),
  ];
  const found = reasons(nodes, { 'vg-v399': [mount('/')] });
  expect(Object.keys(found)).toHaveLength(440);
});
