import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Machine } from './machine.ts';
import { type WatchLimits, watchBoot } from './watch-boot.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const limits: WatchLimits = {
  ...{ seconds: 420, mostSeconds: 840, restSeconds: null, untilRest: false, kernelOnly: false },
};

const asks = 'Begin: Mounting root file system ... \r\nPlease unlock disk cryptroot: ';

type Reply = (typed: string, count: number) => string;

/** A machine whose system answers what is typed. */
const watched = (
  passphrases: readonly string[],
  reply: Reply,
  { withheld = false, loading = false } = {},
) => {
  const typed: string[] = [];
  const answers = { passphrases: withheld ? [] : passphrases, withheld };
  const watch = watchBoot(limits, null, answers, () => {});
  const machine: Machine = {
    ended: new Promise(() => {}),
    processor: async () => (loading ? 'firmware-or-loader' : 'kernel'),
    load: async () => null,
    picture: async () => null,
    type: (text) => {
      typed.push(text);
      watch.onText(reply(text.slice(0, -1), typed.length), 'system');
    },
    [Symbol.asyncDispose]: async () => {},
  };
  const end = watch.end(machine, undefined);
  const after = async (text: string, seconds = 60) => {
    watch.onText(text, 'system');
    await vi.advanceTimersByTimeAsync(seconds * 1000);
    return end;
  };
  return { typed, watch, after };
};

const login = '\r\nweb-3 login: ';
const again = `\r\ncryptsetup: ERROR: cryptroot: cryptsetup failed, bad password or options?\r\n${'Please unlock disk cryptroot: '}`;

/** As initramfs-tools asks, three times. */
const takes =
  (right: string, tries = 3): Reply =>
  (typed, count) => {
    if (typed === right) return login;
    return count < tries
      ? again
      : '\r\ncryptsetup: ERROR: cryptroot: maximum number of tries exceeded\r\n(initramfs) ';
  };

const passed = { kind: 'judged', judgement: { outcome: 'passed' } };

test('a passphrase is typed where the system asks for it, the next one when it asks again', async () => {
  const { typed, after } = watched(['one', 'two'], takes('two'));
  expect(await after(asks)).toMatchObject(passed);
  expect(typed).toEqual(['one\r', 'two\r']);
});

test('a system that takes none of them is not judged, and what it asks is told', async () => {
  const { typed, after } = watched(['one'], takes('other'));
  const cause = expect.stringMatching(/cryptroot.*takes none that opened its volumes here/);
  expect(await after(asks)).toMatchObject({ judgement: { outcome: 'not-judged', cause } });
  expect(typed).toEqual(['one\r']);
});

test('a system that gives up because wrong ones were typed has no fault of its own', async () => {
  const { after } = watched(['one', 'two', 'three'], takes('other'));
  const cause = expect.stringMatching(/not taken as the passphrase at once .*initramfs gave up/);
  expect(await after(asks)).toMatchObject({ judgement: { outcome: 'not-judged', cause } });
});

test('a fault behind a passphrase that was taken is one', async () => {
  const { after } = watched(['one'], () => '\r\nALERT! UUID=1-2 does not exist.\r\n(initramfs) ');
  expect(await after(asks)).toMatchObject({ judgement: { outcome: 'failed', stage: 'initramfs' } });
});

test('what the kernel writes behind a question does not hide it', async () => {
  const { typed, after } = watched(['one', 'two'], takes('two'));
  expect(await after(`${asks}[   12.345678] random: crng init done\r\n`)).toMatchObject(passed);
  expect(typed).toEqual(['one\r', 'two\r']);
});

test('an answer that is being looked at is not given twice, and no verdict at the limit', async () => {
  const drawn = watched(['one', 'two'], () => '***');
  const end = await drawn.after(asks, 500);
  const cause = expect.stringMatching(/nothing tells yet whether it was taken/);
  expect(end).toMatchObject({ judgement: { outcome: 'not-judged', cause } });
  expect(drawn.typed).toEqual(['one\r']);
  const ended = watched(['one', 'two'], () => '\r\n[   12.345678] device-mapper: ioctl\r\n');
  expect(await ended.after(asks, 500)).toMatchObject({ judgement: { cause } });
  expect(ended.typed).toEqual(['one\r']);
});

test.each([
  ['in the line of the question', asks],
  ['in a line of its own', `${asks}[   12.345678] random: crng init done\r\n`],
])('a passphrase that is drawn all the same is kept nowhere: %s', async (_, question) => {
  const secret = 'correct  horse';
  const { watch, after } = watched([secret], (typed) => `${typed}${login}`);
  expect(await after(question)).toMatchObject(passed);
  const evidence = watch.console.evidence(20);
  expect(evidence.at(-1)).toBe('web-3 login:');
  expect(evidence).toContain('Please unlock disk cryptroot:');
  expect(evidence.join()).not.toMatch(/correct|horse/);
});

test('a system that goes on without an answer is seen to boot', async () => {
  const { watch, after } = watched([], takes('one'));
  watch.onText(asks, 'system');
  await vi.advanceTimersByTimeAsync(30_000);
  expect(await after(login)).toMatchObject(passed);
});

test('nothing is typed where a boot loader asks, and nothing where none is known', async () => {
  const loader = watched(['one'], takes('one'), { loading: true });
  const grub = 'Welcome to GRUB!\r\nEnter passphrase for (crypto0): ';
  expect(await loader.after(grub)).toMatchObject({ judgement: { outcome: 'not-judged' } });
  const none = watched([], takes('one'));
  const give = expect.stringContaining('--passphrase-file');
  expect(await none.after(asks)).toMatchObject({ judgement: { cause: give } });
  const withheld = watched(['one'], takes('one'), { withheld: true });
  const leave = expect.stringContaining('leave out --network');
  expect(await withheld.after(asks)).toMatchObject({ judgement: { cause: leave } });
  expect([...loader.typed, ...none.typed, ...withheld.typed]).toEqual([]);
});
