import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeTree, type TreeEntry } from '../../../fixtures/make-tree.ts';
import { smallDebian } from '../../../fixtures/small-debian.ts';
import { subjectOf } from '../../../fixtures/subject.ts';
import type { SystemFacts } from '../../system-image/system-facts.ts';
import type { Subject } from '../subject.ts';
import { lastBootsChecks } from './checks.ts';
import { parseJournal } from './journal.ts';
import { troubleOf } from './kernel-trouble.ts';

const recorded = gunzipSync(
  readFileSync(
    new URL('../../../fixtures/recorded/journal/good-then-emergency.journal.gz', import.meta.url),
  ),
);
const directory = 'var/log/journal/0123456789abcdef0123456789abcdef';

const found = async (
  tree: Readonly<Record<string, TreeEntry>>,
  facts: Partial<SystemFacts> = {},
  more: Partial<Subject> = {},
) => {
  await using made = await makeTree({ ...smallDebian, ...tree });
  const subject = await subjectOf(made.root, facts, more);
  return (await Promise.all(lastBootsChecks.map((check) => check.run(subject)))).flat();
};

const ids = (findings: readonly { readonly severity: string; readonly id: string }[]) =>
  findings.map(({ severity, id }) => `${severity} ${id}`);

test('a real journal tells of the last good boot and of the emergency after it', async () => {
  const findings = await found({ [`${directory}/system.journal`]: recorded });
  expect(ids(findings)).toEqual([
    'info last-boots.good-boot',
    'info last-boots.emergency',
    'info last-boots.failed-units',
  ]);
  expect(findings[0]?.meaning).toContain('1 later boots did not come to their end');
});

test('a journal that is garbage, empty, a pipe or a link is no end of the diagnosis', async () => {
  const garbage = await found({ [`${directory}/system.journal`]: Buffer.alloc(9000, 7) });
  expect(ids(garbage)).toEqual(['info last-boots.unreadable-journal']);
  expect(await found({ [`${directory}/system.journal`]: '' })).toEqual([]);
  expect(await found({ [`${directory}/system.journal`]: { fifo: true } })).toEqual([]);
  expect(await found({ [`${directory}/system.journal`]: { link: '/etc/passwd' } })).toEqual([]);
});

test('a journal that is cut off tells what is in its first part', async () => {
  const findings = await found({ [`${directory}/system.journal`]: recorded.subarray(0, 300_000) });
  expect(findings.every(({ severity }) => severity === 'info')).toBe(true);
});

type Line = { readonly boot: string; readonly at: number } & Readonly<Record<string, unknown>>;

const json = (lines: readonly Line[]): string =>
  lines
    .map(({ boot, at, ...fields }) =>
      JSON.stringify({ __REALTIME_TIMESTAMP: String(at * 1e6), _BOOT_ID: boot, ...fields }),
    )
    .join('\n');

const kernelLine = (boot: string, at: number, MESSAGE: unknown): Line => ({
  ...{ boot, at, MESSAGE, _TRANSPORT: 'kernel' },
});
const starts = (boot: string, at: number, version: string): Line =>
  kernelLine(boot, at, `Linux version ${version} (gcc)`);
const finishes = (boot: string, at: number): Line => ({
  ...{ boot, at, MESSAGE: 'Startup finished', MESSAGE_ID: 'b07a249cd024414a82dd00cd181378ff' },
});

const fromLines = async (lines: readonly Line[], facts: Partial<SystemFacts> = {}) => {
  await using made = await makeTree({ ...smallDebian, [`${directory}/system.journal`]: 'x' });
  const subject = await subjectOf(made.root, facts);
  const run: Subject['host']['run'] = async () => ({
    ...{ exitCode: 0, stdout: json(lines), stderr: '', milliseconds: 1 },
  });
  const [check] = lastBootsChecks;
  return (await check?.run({ ...subject, host: { ...subject.host, run } })) ?? [];
};

const medium = 'blk_update_request: critical medium error, dev sda, sector 123 op 0x0:(READ)';

test('a disk that cannot be read any more is a warning, a drive without a disc is none', async () => {
  const bytes = [...Buffer.from(medium)];
  const dying = await fromLines([
    starts('a', 1, '6.1'),
    kernelLine('a', 2, bytes),
    finishes('a', 3),
  ]);
  expect(ids(dying)).toEqual(['info last-boots.good-boot', 'warning last-boots.disk-errors']);
  const drive = medium.replace('sda', 'sr0');
  expect(ids(await fromLines([kernelLine('a', 2, drive), finishes('a', 3)]))).toEqual([
    'info last-boots.good-boot',
  ]);
});

test('a failure that a good boot has followed is not told', async () => {
  const failed: Line = {
    ...{ boot: 'a', at: 2, MESSAGE: 'x', UNIT: 'data.mount' },
    MESSAGE_ID: 'd9b373ed55a64feb8242e02dbe79a49c',
  };
  expect(ids(await fromLines([failed]))).toEqual(['info last-boots.failed-units']);
  expect(ids(await fromLines([failed, finishes('b', 9)]))).toEqual(['info last-boots.good-boot']);
});

test('a new kernel that never came up is named when an older one did', async () => {
  const kernels = ['6.1.0-30', '6.1.0-31'].map((version) => ({
    ...{ version, image: `/boot/vmlinuz-${version}`, initramfs: null, modules: true },
  }));
  const lines = [
    ...[starts('a', 1, '6.1.0-30'), finishes('a', 2)],
    ...[starts('b', 3, '6.1.0-31'), starts('c', 4, '6.1.0-31')],
  ];
  expect(ids(await fromLines(lines, { kernels }))).toContain('warning last-boots.kernel-fails');
  expect(ids(await fromLines([...lines, finishes('c', 5)], { kernels }))).not.toContain(
    'warning last-boots.kernel-fails',
  );
});

test('without a journal the logs of syslog are read from the last start on', async () => {
  const stamp = 'Nov  2 03:11:09 web-3 kernel:';
  const old = `${stamp} [   1.0] EXT4-fs error (device sda1): old\n`;
  const text = `${old}${stamp} [    0.0] Linux version 6.1\n${stamp} [ 9.1] Out of memory: Killed process 77 (mysqld)\n`;
  expect(ids(await found({ 'var/log/kern.log': text }))).toEqual(['info last-boots.out-of-memory']);
});

test('no line of a journal makes the parser stumble', () => {
  fc.assert(fc.property(fc.string(), (text) => parseJournal(text).length >= 0));
  fc.assert(
    fc.property(fc.jsonValue(), (value) => parseJournal(JSON.stringify(value)).length <= 1),
  );
  expect(troubleOf('[  12.5] Kernel panic - not syncing: VFS: Unable to mount root fs')).toBe(
    'panic',
  );
});
