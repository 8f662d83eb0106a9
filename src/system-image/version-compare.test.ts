import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareVersions } from './version-compare.ts';

test('kernel versions are ordered as a person would', () => {
  const ordered = [
    '5.15.0-9-generic',
    '5.15.0-105-generic',
    '6.1~rc3',
    '6.1-rc7',
    '6.1',
    '6.1.0-9-amd64',
    '6.1.0-20-amd64',
    '6.10.2-arch1-1',
    '6.10.10-arch1-1',
  ];
  const shuffled = [...ordered].reverse();
  expect(shuffled.sort(compareVersions)).toEqual(ordered);
});

const version = fc
  .array(fc.oneof(fc.nat(200).map(String), fc.constantFrom('rc1', 'amd64', 'el9', 'arch')), {
    maxLength: 6,
  })
  .map((parts) => parts.join('.'));

test('the order is the same from both sides and carries over', () => {
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      expect(compareVersions(a, b)).toBe(-compareVersions(b, a) + 0);
      if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0) {
        expect(compareVersions(a, c)).toBeLessThanOrEqual(0);
      }
    }),
  );
});
