import { expect, test } from 'vitest';
import { makeDevice, makePartition } from '../../fixtures/device.ts';
import type { Device } from '../devices/device.ts';
import { marksOf } from '../devices/disk-marks.ts';
import type { LayeredDisk } from './record.ts';
import { maybeCopy, maybeSame, theSame } from './same-disk.ts';

/** Half of a mirror: what lies on both has one UUID, its partition has one of its own. */
const half = (path: string, own: string, more: Partial<Device> = {}): Device =>
  makeDevice(path, {
    ...{ sizeBytes: 4096, partitionTable: 'gpt' },
    children: [
      makePartition(`${path}1`, 1, {
        ...{ fsType: 'linux_raid_member', uuid: 'array' },
        partition: { number: 1, startBytes: 0, uuid: own, label: null, type: null },
      }),
    ],
    ...more,
  });

const recorded = (device: Device, more: Partial<LayeredDisk> = {}): LayeredDisk => ({
  ...{ number: 1, name: device.path ?? '', path: device.path ?? '', kind: 'disk' },
  ...{ serial: device.serial, sizeBytes: device.sizeBytes, marks: marksOf(device) },
  ...more,
});

test('a disk is known by what is on it, whatever its name has become', () => {
  const [one, other] = [half('/dev/vdb', 'a'), half('/dev/vdc', 'b')];
  const swapped = [half('/dev/vdb', 'b'), half('/dev/vdc', 'a')];
  expect(theSame(recorded(one), [one, other])?.path).toBe('/dev/vdb');
  expect(theSame(recorded(one), swapped)?.path).toBe('/dev/vdc');
  expect(theSame(recorded(other), swapped)?.path).toBe('/dev/vdb');
});

test('another disk of the same size that has its name is none', () => {
  const own = half('/dev/vdb', 'a');
  const foreign = makeDevice('/dev/vdb', {
    ...{ sizeBytes: 4096, partitionTable: 'gpt' },
    children: [makePartition('/dev/vdb1', 1, { fsType: 'ext4', uuid: 'somebody' })],
  });
  expect(theSame(recorded(own), [foreign])).toBeNull();
  expect(theSame(recorded(own), [foreign, half('/dev/vdd', 'a')])?.path).toBe('/dev/vdd');
});

test('of two that are as likely the name decides, and without it nothing does', () => {
  const own = half('/dev/vdb', 'a');
  const copies = [half('/dev/vdb', 'a'), half('/dev/vdc', 'a')];
  expect(theSame(recorded(own), copies)?.path).toBe('/dev/vdb');
  expect(theSame(recorded(own, { path: '/dev/vde' }), copies)).toBeNull();
});

test('a copy that a person names is known by size and content, whatever its serial number', () => {
  const own = recorded(half('/dev/vdb', 'a', { serial: 'vol-1' }));
  const copy = half('/dev/vdd', 'a', { serial: 'vol-2' });
  expect(maybeSame(own, copy)).toBe(false);
  expect(maybeCopy(own, copy)).toBe(true);
  expect(maybeCopy(own, { ...copy, sizeBytes: 8192 })).toBe(false);
  const foreign = makeDevice('/dev/vdd', {
    ...{ sizeBytes: 4096 },
    children: [makePartition('/dev/vdd1', 1, { fsType: 'ext4', uuid: 'somebody' })],
  });
  expect(maybeCopy(own, foreign)).toBe(false);
});
