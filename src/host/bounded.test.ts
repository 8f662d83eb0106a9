import { expect, test } from 'vitest';
import { mapBounded } from './bounded.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('keeps the order of the items and never exceeds the bound', async () => {
  let running = 0;
  let most = 0;
  const doubled = await mapBounded([5, 4, 3, 2, 1, 0], 2, async (item) => {
    running += 1;
    most = Math.max(most, running);
    for (let i = 0; i < item; i += 1) await turn();
    running -= 1;
    return item * 2;
  });
  expect(doubled).toEqual([10, 8, 6, 4, 2, 0]);
  expect(most).toBe(2);
});

test('waits for what runs and starts nothing new after a failure', async () => {
  const started: number[] = [];
  const ended: number[] = [];
  const work = mapBounded([0, 1, 2, 3], 2, async (item) => {
    started.push(item);
    if (item === 0) throw new Error('first');
    await turn();
    ended.push(item);
  });
  await expect(work).rejects.toThrow('first');
  expect(started).toEqual([0, 1]);
  expect(ended).toEqual([1]);
});

test('does nothing for no items', async () => {
  expect(await mapBounded([], 4, async () => 1)).toEqual([]);
});
