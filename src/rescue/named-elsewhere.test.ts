import { expect, test } from 'vitest';
import { makeDevice } from '../../fixtures/device.ts';
import type { Device, Stack } from '../devices/device.ts';
import { namedElsewhere } from './named-elsewhere.ts';

const uuid = '3aaa3bc1:4c1f0d2e:5b6a7988:12345678';

const member = (path: string, stack: Partial<Stack>, more: Partial<Device> = {}): Device =>
  makeDevice(path, {
    stack: {
      ...{ layer: 'lvm', name: null, uuid: null, type: null, state: 'inactive' },
      ...{ present: null, expected: null },
      ...stack,
    },
    ...more,
  });

const named = (
  specs: readonly string[],
  free: readonly Device[],
  facts: Partial<Parameters<typeof namedElsewhere>[0]['facts']> = {},
) => {
  const disk = makeDevice('/dev/vdb');
  const mounts = specs.map((spec) => ({ spec, state: 'missing' as const }));
  const place = { disk, disks: [disk, ...free] };
  return namedElsewhere({ place, mounts, facts: { arrays: [], crypttab: [], ...facts } }, free);
};

const pv = (path: string, name: string, more: Partial<Device> = {}) =>
  member(path, { layer: 'lvm', name, uuid: `uuid of ${name}` }, more);

test('the physical volumes of a group that fstab names belong to the system', () => {
  const free = [pv('/dev/vdc', 'web-data'), pv('/dev/vdd', 'other'), pv('/dev/vde', 'web-data')];
  expect(named(['/dev/mapper/web--data-srv'], free)).toEqual(['/dev/vdc', '/dev/vde']);
  expect(named(['/dev/web-data/srv', '/dev/web-data/home'], free)).toHaveLength(2);
});

test('a group of which a copy is attached is left to the person', () => {
  const free = [pv('/dev/vdc', 'vg1'), pv('/dev/vdd', 'vg1', { duplicateOf: '/dev/vdc' })];
  expect(named(['/dev/vg1/srv'], free)).toEqual([]);
});

test('two groups of one name are no answer', () => {
  const twin = member('/dev/vdd', { layer: 'lvm', name: 'vg1', uuid: 'another' });
  expect(named(['/dev/vg1/srv'], [pv('/dev/vdc', 'vg1'), twin])).toEqual([]);
});

test('an array is meant by the UUID that mdadm.conf gives, else by its name', () => {
  const array = member('/dev/vdc', { layer: 'md', name: 'web-3:data', uuid });
  const line = { line: 1, device: '/dev/md7', uuid, name: null, superMinor: null };
  expect(named(['/dev/md7'], [array], { arrays: [line] })).toEqual(['/dev/vdc']);
  expect(named(['/dev/md7'], [array])).toEqual([]);
  expect(named(['/dev/md/data'], [array])).toEqual(['/dev/vdc']);
});

test('an encrypted volume is meant by its line of crypttab', () => {
  const container = makeDevice('/dev/vdc', { fsType: 'crypto_LUKS', uuid: 'c0ffee' });
  const line = { line: 1, name: 'srv', source: 'UUID=c0ffee', keyFile: null, options: [] };
  const crypttab = [{ ...line, kind: 'luks' as const }];
  expect(named(['/dev/mapper/srv'], [container], { crypttab })).toEqual(['/dev/vdc']);
  expect(named(['/dev/mapper/home'], [container], { crypttab })).toEqual([]);
});

test('what is open already, or found by its UUID only, draws nothing in', () => {
  const open = member('/dev/vdc', { layer: 'lvm', name: 'vg1', state: 'active' });
  expect(named(['/dev/vg1/srv', 'UUID=1234'], [open])).toEqual([]);
});
