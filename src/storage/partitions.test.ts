import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fakeHost } from '../../fixtures/fake-host.ts';
import { unannouncedGpt } from '../../fixtures/gpt-disk.ts';
import { partitionNode } from '../devices/kernel-name.ts';
import { addLoopPartitions, numberRanges } from './partitions.ts';

test('the kernel puts a p between a disk that ends in a digit and the number', () => {
  expect(partitionNode('/dev/loop0', 3)).toBe('/dev/loop0p3');
  expect(partitionNode('/dev/vdb', 3)).toBe('/dev/vdb3');
});

test('numbers in a row become one range', () => {
  expect(numberRanges([5, 1, 2, 3])).toEqual(['1:3', '5:5']);
});

test('ranges hold exactly the numbers that were given, so that no other partition is taken', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 128 })), (numbers) => {
      const held = numberRanges(numbers).flatMap((range) => {
        const [first = 0, last = 0] = range.split(':').map(Number);
        return Array.from({ length: last - first + 1 }, (_, index) => first + index);
      });
      expect(held).toEqual([...numbers].sort((a, b) => a - b));
    }),
  );
});

test('a partition that the kernel does not take stops none of the others', async () => {
  const bytes = unannouncedGpt(200);
  const fake = fakeHost(() => ({ exitCode: 1 }), {
    '/sys/class/block/loop0/size': '200',
  });
  const readAt = async (_: string, at: number, length: number) => bytes.subarray(at, at + length);
  const host = { ...fake, files: { ...fake.files, readAt } };
  const step = await addLoopPartitions(host, '/dev/loop0');
  expect(step?.commands.map(({ program, args }) => [program, ...args].join(' '))).toEqual([
    'addpart /dev/loop0 1 40 20',
  ]);
  for (const command of step?.commands ?? []) await host.run(command);
});
