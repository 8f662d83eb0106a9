import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cycleThrough, unitsInCycles } from './ordering-cycles.ts';

const orderings = (...pairs: readonly string[]) =>
  pairs.map((pair) => {
    const [from = '', to = ''] = pair.split('>');
    return { from, to, because: pair };
  });

test('units that wait for each other are found, and the shortest way around', () => {
  const all = orderings('a>b', 'b>c', 'c>a', 'b>a', 'd>a', 'c>e');
  expect([...unitsInCycles(all)].sort()).toEqual(['a', 'b', 'c']);
  expect(cycleThrough(all, 'a').map(({ because }) => because)).toEqual(['a>b', 'b>a']);
  expect(cycleThrough(all, 'd')).toEqual([]);
});

test('an order without a cycle has none, whatever its size', () => {
  const pair = fc.tuple(fc.nat(40), fc.nat(40)).filter(([one, other]) => one < other);
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 200 }), (pairs) => {
      const all = orderings(...pairs.map(([from, to]) => `${from}>${to}`));
      expect(unitsInCycles(all).size).toBe(0);
    }),
  );
});

test('a unit is in a cycle exactly when a way leads from it back to it', () => {
  const pair = fc.tuple(fc.nat(8), fc.nat(8)).filter(([one, other]) => one !== other);
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 24 }), (pairs) => {
      const all = orderings(...pairs.map(([from, to]) => `${from}>${to}`));
      const inCycles = unitsInCycles(all);
      for (const { from } of all) {
        expect(cycleThrough(all, from).length > 0).toBe(inCycles.has(from));
      }
    }),
  );
});
