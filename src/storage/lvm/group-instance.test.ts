import { expect, test } from 'vitest';
import { makeDevice } from '../../../fixtures/device.ts';
import { findPvNodes, instancesOf, readingSets } from './group-instance.ts';
import type { LvmGroup } from './report.ts';

const disk = (path: string, uuid: string, majorMinor: string) =>
  makeDevice(path, { fsType: 'LVM2_member', uuid, majorMinor });

const group = (members: Readonly<Record<string, string | null>>): LvmGroup => ({
  uuid: 'group',
  name: 'vg0',
  exported: false,
  systemId: '',
  shared: false,
  extentBytes: 4 * 2 ** 20,
  lvs: [],
  pvs: Object.entries(members).map(([uuid, majorMinor]) => ({
    uuid,
    majorMinor,
    dataStartBytes: 2 ** 20,
    extents: 10,
    metadataAreas: 1,
    sizeBytes: 2 ** 30,
  })),
});

const paths = (sets: ReturnType<typeof readingSets>) =>
  sets.map((set) => set.map(({ device }) => device.path));

test("of a clone on a free disk the target's own physical volume is read alone", () => {
  const ours = findPvNodes([disk('/dev/vdb', 'one', '8:16')], 's');
  const free = findPvNodes([disk('/dev/vdc', 'one', '8:32')], 's');
  expect(paths(readingSets(ours, free))).toEqual([['/dev/vdb']]);
});

test('a missing member is drawn in from the one free disk that has it, and from no two', () => {
  const ours = findPvNodes([disk('/dev/vdb', 'one', '8:16')], 's');
  const [vdc, vdd] = [disk('/dev/vdc', 'two', '8:32'), disk('/dev/vdd', 'two', '8:48')];
  expect(paths(readingSets(ours, findPvNodes([vdc], 's')))).toEqual([['/dev/vdb', '/dev/vdc']]);
  const free = findPvNodes([vdc, vdd], 's');
  const sets = readingSets(ours, free);
  expect(paths(sets)).toEqual([['/dev/vdb']]);
  const [instance] = instancesOf([group({ one: '8:16', two: null })], sets[0] ?? [], ours, free);
  expect(instance?.ambiguous).toContain('Copies');
});

test('two clones of one disk are two groups, each on its own disk', () => {
  const disks = [disk('/dev/vdb', 'one', '8:16'), disk('/dev/vdc', 'one', '8:32')];
  const ours = findPvNodes(disks, 's');
  const sets = readingSets(ours, []);
  expect(paths(sets)).toEqual([['/dev/vdb'], ['/dev/vdc']]);
  const found = sets.flatMap((set, index) =>
    instancesOf([group({ one: index === 0 ? '8:16' : '8:32' })], set, ours, []),
  );
  expect(found.map(({ ambiguous }) => ambiguous)).toEqual([null, null]);
});

test('a group of which only free disks carry something is not the concern of the target', () => {
  const ours = findPvNodes([disk('/dev/vdb', 'one', '8:16')], 's');
  const free = findPvNodes([disk('/dev/vdc', 'two', '8:32')], 's');
  const [set = []] = readingSets(ours, free);
  expect(instancesOf([group({ two: '8:32' })], set, ours, free)).toEqual([]);
});

test("protected disks, paths of a multipath disk and a session's own views are left out", () => {
  const pv = { fsType: 'LVM2_member', uuid: 'one' } as const;
  const view = makeDevice('/dev/dm-0', {
    ...pv,
    name: 'dm-0',
    kind: 'mapper',
    aliases: ['/dev/mapper/rescuekit-7f3a-pv-vdc'],
  });
  const nodes = findPvNodes(
    [
      makeDevice('/dev/vda', { ...pv, protected: { reason: 'mounted at /' } }),
      makeDevice('/dev/sda', { ...pv, children: [makeDevice('/dev/dm-9', { kind: 'multipath' })] }),
      makeDevice('/dev/vdc', { ...pv, name: 'vdc', children: [view] }),
    ],
    '7f3a',
  );
  expect(nodes.map(({ device, cover }) => [device.path, cover?.path])).toEqual([
    ['/dev/vdc', '/dev/dm-0'],
  ]);
});
