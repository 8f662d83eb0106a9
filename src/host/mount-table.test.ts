import { expect, test } from 'vitest';
import { isBelow, parseMountInfo } from './mount-table.ts';

const text = [
  '24 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard',
  '31 24 0:27 /@home /mnt/with\\040space rw,nodev shared:5 master:2 - btrfs /dev/loop0p2 rw,subvol=/@home',
  '',
].join('\n');

test('optional fields between the options and the hyphen do not shift the rest', () => {
  const [, second] = parseMountInfo(text);
  expect(second).toMatchObject({
    id: 31,
    majorMinor: '0:27',
    rootInside: '/@home',
    path: '/mnt/with space',
    fsType: 'btrfs',
    source: '/dev/loop0p2',
  });
});

test('a directory is not below one whose name it only begins with', () => {
  expect(isBelow('/run/rescuekit/ab', '/run/rescuekit/a')).toBe(false);
  expect(isBelow('/run/rescuekit/a/root', '/run/rescuekit/a')).toBe(true);
  expect(isBelow('/run', '/')).toBe(true);
});
