import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Machine } from './machine.ts';
import { type WatchLimits, watchBoot } from './watch-boot.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const limits: WatchLimits = {
  ...{ seconds: 420, mostSeconds: 840, restSeconds: null, untilRest: false, kernelOnly: false },
};

const asks = 'Begin: Mounting root file system ... \r\nPlease unlock disk cryptroot: ';

/** A machine whose system asks again until it is given the right passphrase. */
const watched = (passphrases: readonly string[], right: string) => {
  const typed: string[] = [];
  const watch = watchBoot(limits, null, passphrases, () => {});
  const machine: Machine = {
    ended: new Promise(() => {}),
    processor: async () => 'kernel',
    load: async () => null,
    picture: async () => null,
    type: (text) => {
      typed.push(text);
      const taken = text === `${right}\r`;
      watch.onText(taken ? '\r\nweb-3 login: ' : '\r\nPlease unlock disk cryptroot: ', 'system');
    },
    [Symbol.asyncDispose]: async () => {},
  };
  return { typed, watch, end: watch.end(machine, undefined) };
};

test('a passphrase is typed where the system asks for it, the next one when it asks again', async () => {
  const { typed, watch, end } = watched(['one', 'two'], 'two');
  watch.onText(asks, 'system');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await end).toMatchObject({ kind: 'judged', judgement: { outcome: 'passed' } });
  expect(typed).toEqual(['one\r', 'two\r']);
});

test('a system that takes none of them is not judged, and what it asks is told', async () => {
  const { typed, watch, end } = watched(['one'], 'other');
  watch.onText(asks, 'system');
  await vi.advanceTimersByTimeAsync(60_000);
  const cause = expect.stringMatching(/cryptroot.*none that opened its disks here is taken/);
  expect(await end).toMatchObject({ judgement: { outcome: 'not-judged', cause } });
  expect(typed).toEqual(['one\r']);
});

test('nothing is typed where a boot loader asks, and nothing where none is known', async () => {
  const { typed, watch, end } = watched(['one'], 'one');
  watch.onText('Welcome to GRUB!\r\nEnter passphrase for hd0,gpt2 (1234): ', 'system');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await end).toMatchObject({ judgement: { outcome: 'not-judged' } });
  const none = watched([], 'one');
  none.watch.onText(asks, 'system');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await none.end).toMatchObject({
    judgement: { cause: expect.stringContaining('--passphrase-file') },
  });
  expect([typed, none.typed]).toEqual([[], []]);
});
