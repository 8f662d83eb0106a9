import { expect, test } from 'vitest';
import { bootConsole } from './console/boot-console.ts';
import { isSilent, verdictOf } from './verdict.ts';
import type { BootEnd, BootWatch } from './watch-boot.ts';

const watchOf = (text: string, seconds: number, begun = 1): BootWatch => {
  const console = bootConsole();
  console.push(text, begun);
  return {
    ...{ console, seconds: () => seconds, onText: () => {}, onEvent: () => {} },
    end: () => Promise.reject(new Error('no machine')),
  };
};

const timed = (silentSeconds: number, working = false): BootEnd => ({
  ...({ kind: 'time', silentSeconds, working } as const),
});

const greeting =
  'Welcome to Debian GNU/Linux 12 (bookworm)!\r\n[  OK  ] Mounted sys.mount - Sys.\r\n';
const job = (time: string) =>
  `${greeting}[ ***  ] A start job is running for /dev/vdx (${time})\r\n`;

test('a boot that still gets on at the limit is not judged, and a longer limit is the advice', () => {
  const verdict = verdictOf(timed(3), watchOf(greeting, 420));
  expect(verdict).toMatchObject({ passed: false, stage: 'root-mounted', cause: null });
  expect(verdict.notJudged).toMatch(/still going on .* longer --boot-timeout/);
});

test('a short silence at a short limit is no hang, a long one is', () => {
  expect(verdictOf(timed(40), watchOf(greeting, 60)).cause).toBeNull();
  const hung = verdictOf(timed(300), watchOf(greeting, 420));
  expect([hung.cause, hung.notJudged]).toEqual([
    ...['It hung in the start of the services: no end after 420 s, nothing new for 300 s.', null],
  ]);
});

test('what a quiet system does in silence is no hang while its processors work', () => {
  const quiet = watchOf('Loading, please wait...\r\n', 420);
  expect(verdictOf(timed(300, true), quiet).cause).toBeNull();
  expect(verdictOf(timed(300), quiet).cause).toContain('hung in the initramfs');
});

test('a job without a limit is a hang in the end; one within its own limit may go on', () => {
  expect(verdictOf(timed(0), watchOf(job('3min / no limit'), 240)).cause).toBe(
    'It still waits for /dev/vdx (3min / no limit) after 240 s.',
  );
  for (const time of ['40s / no limit', '40s / 1min 30s', '4min / 5min']) {
    const { cause, notJudged } = verdictOf(timed(0), watchOf(job(time), 300));
    expect([cause, notJudged]).toEqual([null, expect.stringContaining(`/dev/vdx (${time})`)]);
  }
});

test('a unit that was begun and never ended is named behind a login prompt', () => {
  const watch = watchOf(`${greeting}Starting shop.service - Shop...\r\nweb login: `, 300, 20);
  expect(verdictOf(timed(280), watch).cause).toBe(
    'It still waits for shop.service - Shop after 300 s.',
  );
});

test('a question that nobody answers, and a silent system, are not judged', () => {
  const judgement = bootConsole();
  judgement.push('Please unlock disk root: ', 1);
  const found = judgement.judge();
  if (found === null) throw new Error('no judgement');
  const asked = verdictOf({ kind: 'judged', judgement: found }, watchOf('', 20));
  expect(asked).toMatchObject({ passed: false, stage: 'initramfs', cause: null });
  expect(asked.notJudged).toContain('Please unlock disk root');
  expect(verdictOf({ kind: 'rest' }, watchOf('', 90)).cause).toBeNull();
});

test('its own kernel is started when only the kernel was heard, and not after a word of systemd', () => {
  const kernel = watchOf('[    0.000000] Linux version 6.1\r\n', 420);
  expect(isSilent({ kind: 'rest' }, kernel, 'no')).toBe(true);
  expect(isSilent(timed(300), kernel, 'kernel')).toBe(true);
  expect(isSilent(timed(300), watchOf(greeting, 420), 'yes')).toBe(false);
});
