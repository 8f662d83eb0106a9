import { expect, test } from 'vitest';
import { makeDevice, makePartition } from '../../fixtures/device.ts';
import type { Device } from './device.ts';
import { diskWith, marksOf } from './disk-marks.ts';

const disk = (path: string, ...uuids: readonly string[]): Device =>
  makeDevice(path, {
    children: uuids.map((uuid, index) =>
      makePartition(`${path}${index + 1}`, index + 1, { fsType: 'ext4', uuid }),
    ),
  });

const one = disk('/dev/vdb', 'root', 'shared');
const other = disk('/dev/vdc', 'home', 'shared');

test('a disk of a system is found by what was on it, in whatever order they are now', () => {
  expect(diskWith([one, other], marksOf(one), 0)).toBe(one);
  expect(diskWith([other, one], marksOf(one), 0)).toBe(one);
  expect(diskWith([other, one], marksOf(other), 1)).toBe(other);
});

test('its place decides among equals, and where nothing was known of it', () => {
  expect(diskWith([one, other], ['shared'], 1)).toBe(other);
  expect(diskWith([one, other], [], 1)).toBe(other);
  expect(diskWith([one], [], 1)).toBeNull();
});

test('a disk that has none of it is another one', () => {
  expect(diskWith([disk('/dev/vdb', 'foreign')], marksOf(one), 0)).toBeNull();
  expect(diskWith([disk('/dev/vdb')], marksOf(one), 0)).toBeNull();
});
