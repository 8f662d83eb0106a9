import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isMixture, stretchesOf } from './pieces.ts';

const chunkBytes = 4096;

const exceptionsOf = (origins: readonly number[]) =>
  origins.map((origin, index) => ({ origin, store: index + 2 }));

it('covers each chunk of a layer once, in the order of the disk', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(2000), { maxLength: 600 }), (origins) => {
      const stretches = stretchesOf({ chunkBytes, exceptions: exceptionsOf(origins) }, 2 ** 40);
      const covered = stretches.flatMap(({ atBytes, bytes }) =>
        Array.from({ length: bytes / chunkBytes }, (_, index) => atBytes / chunkBytes + index),
      );
      expect(covered).toEqual(origins.toSorted((a, b) => a - b));
      for (const { bytes, runs } of stretches) {
        expect(runs.reduce((sum, run) => sum + run.bytes, 0)).toBe(bytes);
        expect(bytes).toBeLessThanOrEqual(2 ** 20);
      }
    }),
  );
});

it('ends with the disk, whose last chunk may be a part of one', () => {
  const store = { chunkBytes, exceptions: exceptionsOf([1, 2]) };
  expect(stretchesOf(store, 2 * chunkBytes + 512)).toEqual([
    { atBytes: chunkBytes, bytes: chunkBytes + 512, runs: [{ atBytes: 8192, bytes: 4608 }] },
  ]);
  expect(stretchesOf(store, chunkBytes)).toEqual([]);
});

it('knows a write that was cut off at any sector, and nothing else', () => {
  const [old, now] = [Buffer.alloc(2048, 'o'), Buffer.alloc(2048, 'n')];
  for (const at of [0, 512, 1024, 2048]) {
    const half = Buffer.concat([now.subarray(0, at), old.subarray(at)]);
    expect(isMixture(half, old, now)).toBe(true);
  }
  const other = Buffer.from(old);
  other[700] = 1;
  expect(isMixture(other, old, now)).toBe(false);
  expect(isMixture(old.subarray(0, 512), old, now)).toBe(false);
});
