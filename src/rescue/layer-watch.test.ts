import { expect, it } from 'vitest';
import { isDirectoryFull } from './layer-watch.ts';

const mebibyte = 2 ** 20;
const space = (size: number, free: number) => ({
  ...{ sizeBytes: size * mebibyte, freeBytes: free * mebibyte, availableBytes: 0 },
  ...{ inodes: 0, freeInodes: 0 },
});

it('leaves as much room as it takes to copy the files out of their layers', () => {
  const full = (free: number) => isDirectoryFull(space(1000, free), 900 * mebibyte);
  expect([900, 800, 606, 605, 100].map(full)).toEqual([false, false, false, true, true]);
});

it('is full with next to nothing left, whoever has taken it, and never without a count', () => {
  expect(isDirectoryFull(space(1000, 15), 15 * mebibyte)).toBe(true);
  expect(isDirectoryFull(space(1000, 17), 10 * mebibyte)).toBe(false);
  expect(isDirectoryFull(space(0, 0), 0)).toBe(false);
});
