import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fakeJournal, type JournalLine } from '../../../fixtures/fake-journal.ts';
import { makeTree, type TreeEntry } from '../../../fixtures/make-tree.ts';
import { smallDebian } from '../../../fixtures/small-debian.ts';
import { subjectOf } from '../../../fixtures/subject.ts';
import type { SystemFacts } from '../../system-image/system-facts.ts';
import type { Subject } from '../subject.ts';
import { lastBootsChecks } from './checks.ts';
import { diskOf } from './disk-names.ts';
import { parseJournal } from './journal.ts';
import { troubleOf } from './kernel-trouble.ts';

const recording = (name: string): Buffer =>
  gunzipSync(
    readFileSync(new URL(`../../../fixtures/recorded/journal/${name}.journal.gz`, import.meta.url)),
  );
/** Of a container, and of a machine of its own: Debian 12, the second boot with a bad line in fstab. */
const recorded = recording('good-then-emergency');
const machine = recording('machine-good-then-emergency');
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

test('the journal of a container tells of the last good boot and of the emergency after it', async () => {
  const findings = await found({ [`${directory}/system.journal`]: recorded });
  expect(ids(findings)).toEqual(['info last-boots.good-boot', 'info last-boots.emergency']);
  expect(findings[0]?.meaning).toContain('1 later boot did not come to its end');
});

test('the journal of a machine that says in emergency mode, too, that its startup finished', async () => {
  const findings = await found({ [`${directory}/system.journal`]: machine });
  expect(ids(findings)).toEqual([
    'info last-boots.good-boot',
    'info last-boots.emergency',
    'info last-boots.failed-units',
  ]);
  const [good, , failed] = findings;
  expect(good?.title).toMatch(/2026-11-28 09:22 UTC with kernel 6\.1\.0-56-cloud-amd64\.$/);
  expect(good?.meaning).toContain('1 later boot did not come to its end');
  expect(failed?.title).toContain('srv-data.mount');
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

const line = (
  boot: string,
  at: number,
  fields: Readonly<Record<string, unknown>>,
): JournalLine => ({
  ...{ boot, at, _TRANSPORT: 'journal', _PID: '1', PRIORITY: '6', ...fields },
});
const kernelLine = (boot: string, at: number, MESSAGE: unknown): JournalLine => ({
  ...{ boot, at, MESSAGE, _TRANSPORT: 'kernel', PRIORITY: '3' },
});
const started = (boot: string, at: number, UNIT: string): JournalLine =>
  line(boot, at, {
    ...{ MESSAGE: `Reached target ${UNIT}`, UNIT, JOB_RESULT: 'done' },
    MESSAGE_ID: '39f53479d3a045ac8e11786248231fbf',
  });

/** As a machine begins: the kernel, journald, and the first units. */
const starts = (boot: string, at: number, version: string): readonly JournalLine[] => [
  {
    ...kernelLine(boot, at, `Linux version ${version} (gcc)`),
    ...{ PRIORITY: '5', _SOURCE_MONOTONIC_TIMESTAMP: '0' },
  },
  line(boot, at, {
    ...{ MESSAGE: 'Journal started', _PID: '200', _TRANSPORT: 'driver' },
    MESSAGE_ID: 'f77379a8490b408bbe5f6940505a777b',
  }),
  started(boot, at, 'systemd-journal-flush.service'),
];
const finishes = (boot: string, at: number): JournalLine => started(boot, at, 'multi-user.target');
/** Said in emergency mode, too. */
const settles = (boot: string, at: number): JournalLine =>
  line(boot, at, {
    ...{ MESSAGE: 'Startup finished in 2s.', MESSAGE_ID: 'b07a249cd024414a82dd00cd181378ff' },
  });
const emergency = (boot: string, at: number): JournalLine => started(boot, at, 'emergency.target');
const fails = (boot: string, at: number, UNIT: string): JournalLine =>
  line(boot, at, {
    ...{ MESSAGE: `${UNIT}: Failed`, UNIT, MESSAGE_ID: 'd9b373ed55a64feb8242e02dbe79a49c' },
  });
const chatter = (boot: string, at: number, lines: number): readonly JournalLine[] =>
  Array.from({ length: lines }, (_, index) => ({
    ...{ boot, at: at + index, MESSAGE: `request ${index}`, _TRANSPORT: 'stdout', _PID: '777' },
  }));

const fromLines = async (
  lines: readonly JournalLine[],
  facts: Partial<SystemFacts> = {},
  more: Partial<Subject> = {},
  tree: Readonly<Record<string, TreeEntry>> = {},
) => {
  const journal = { [`${directory}/system.journal`]: 'x' };
  await using made = await makeTree({ ...smallDebian, ...journal, ...tree });
  const subject = await subjectOf(made.root, facts, more);
  const [check] = lastBootsChecks;
  const host = { ...subject.host, run: fakeJournal(lines) };
  return (await check?.run({ ...subject, host })) ?? [];
};

test('systemd before 239 calls the result of a job otherwise', async () => {
  const asBefore = (lines: readonly JournalLine[]): readonly JournalLine[] =>
    lines.map(({ JOB_RESULT, ...rest }) =>
      JOB_RESULT === undefined ? rest : { ...rest, RESULT: JOB_RESULT },
    );
  const ended = [...starts('a', 1, '3.10.0-1160.el7.x86_64'), finishes('a', 3)];
  const broken = [...starts('b', 5, '3.10.0-1160.el7.x86_64'), emergency('b', 7)];
  expect(ids(await fromLines(asBefore([...ended, ...broken])))).toEqual([
    'info last-boots.good-boot',
    'info last-boots.emergency',
  ]);
});

const medium = 'blk_update_request: critical medium error, dev sda, sector 123 op 0x0:(READ)';

describe('a disk that cannot be read any more', () => {
  const bytes = [...Buffer.from(medium)];
  const says = (boot: string, MESSAGE: string): JournalLine => ({
    ...{ boot, at: 1, MESSAGE, _TRANSPORT: 'kernel', PRIORITY: '5' },
  });
  const boot = (...lines: readonly string[]): readonly JournalLine[] => [
    ...starts('a', 1, '6.1'),
    ...lines.map((line) => says('a', line)),
    kernelLine('a', 2, bytes),
    finishes('a', 3),
  ];
  const first = 'sd 0:0:0:0: [sda] Attached SCSI disk';
  const second = 'sd 1:0:0:0: [sdb] Attached SCSI disk';
  const mounted = (uuid: string) => `EXT4-fs (sda2): mounted filesystem ${uuid} ro with ordered`;
  const uuid = '79c20ca7-c70d-497e-bb9d-4f3f3149cc05';
  const spec = { target: '/', device: '/dev/vdb2', fsType: 'ext4', options: [], note: null };
  const mounts = [{ ...spec, spec: `UUID=${uuid}`, state: 'mount' as const }];

  test.each([
    ['the only disk', [first], 'warning'],
    ['one of two', [first, second], 'info'],
    [
      'one of two, with the root by its name',
      ['Command line: root=/dev/sda1 ro', first, second],
      'warning',
    ],
    ['one of two, with a file system of the system', [first, second, mounted(uuid)], 'warning'],
    [
      'one of two, with another file system',
      [first, second, mounted(uuid.replace('7', '8'))],
      'info',
    ],
    ['one that nothing is said of', [], 'info'],
  ])('%s', async (_, lines, severity) => {
    const findings = await fromLines(boot(...lines), {}, { mounts });
    expect(ids(findings)).toEqual([
      'info last-boots.good-boot',
      `${severity} last-boots.disk-errors`,
    ]);
    expect(findings[1]?.title).toContain('could not read or write sda in');
  });

  test('a drive without a disc is none, and one line may be a cable', async () => {
    const good = 'info last-boots.good-boot';
    const drive = medium.replace('sda', 'sr0');
    expect(ids(await fromLines([kernelLine('a', 2, drive), finishes('a', 3)]))).toEqual([good]);
    const cable = 'I/O error, dev sdb, sector 9 op 0x0:(READ)';
    expect(ids(await fromLines([kernelLine('a', 2, cable), finishes('a', 3)]))).toEqual([good]);
  });

  test.each([
    ['nvme0n1p2', 'nvme0n1'],
    ['sda12', 'sda'],
    ['mmcblk0p1', 'mmcblk0'],
    ['dm-3', 'dm-3'],
    ['md127', 'md127'],
  ])('%s is on %s', (name, disk) => {
    expect(diskOf(name)).toBe(disk);
  });
});

describe('what outlives a boot', () => {
  const panic = '<0>[   12.5] Kernel panic - not syncing: Fatal exception';
  const record = (at: number): Readonly<Record<string, TreeEntry>> => ({
    [`var/lib/systemd/pstore/${at}/001/dmesg.txt`]: `Panic#1 Part1\n<6>[ 12.4] x\n${panic}\n`,
  });
  const kept = (text: string) => ({ kind: 'file' as const, text });

  test('the last lines that the firmware kept are shown, the newest ones', async () => {
    const older = record(1_795_000_000);
    const findings = await found({ ...older, ...record(1_795_000_900) });
    expect(ids(findings)).toEqual(['info last-boots.kernel-panic']);
    expect(findings[0]?.evidence[0]).toMatchObject({
      ...kept('[ 12.5] Kernel panic - not syncing: Fatal exception'),
      path: '/var/lib/systemd/pstore/1795000900/001/dmesg.txt',
    });
    expect(await found({ 'var/lib/systemd/pstore/1795000900/dmesg-efi-1': 'Shutdown#1' })).toEqual(
      [],
    );
  });

  test('a panic that three boots have followed is over', async () => {
    const boots = ['a', 'b', 'c'].flatMap((boot, index) => [
      ...starts(boot, 1_795_000_000 + index * 100, '6.1'),
      finishes(boot, 1_795_000_050 + index * 100),
    ]);
    const good = 'info last-boots.good-boot';
    const told = await fromLines(boots, {}, {}, record(1_795_000_010));
    expect(ids(told)).toEqual([good, 'info last-boots.kernel-panic']);
    expect(ids(await fromLines(boots, {}, {}, record(1_794_999_000)))).toEqual([good]);
  });

  test('the note of GRUB that a boot did not come to its end is told', async () => {
    const environment = '# GRUB Environment Block\nrecordfail=1\n####';
    expect(ids(await found({ 'boot/grub/grubenv': environment }))).toEqual([
      'info last-boots.record-fail',
    ]);
    expect(await found({ 'boot/grub/grubenv': environment.replace('=1', '=') })).toEqual([]);
  });

  test('programs that systemd-oomd ended are told', async () => {
    const MESSAGE = 'mysql.service: systemd-oomd killed 4 process(es) in this unit.';
    const killed = line('a', 2, { MESSAGE, MESSAGE_ID: 'd989611b15e44c9dbf31e3c81256e4ed' });
    const findings = await fromLines([...starts('a', 1, '6.1'), killed, finishes('a', 3)]);
    expect(ids(findings)).toEqual(['info last-boots.good-boot', 'info last-boots.out-of-memory']);
  });
});

describe('how a boot went', () => {
  const good = [...starts('a', 1, '6.1'), finishes('a', 2), settles('a', 3)];

  test('a failure that a good boot has followed is not told', async () => {
    const failed = [...starts('b', 10, '6.1'), fails('b', 11, 'data.mount')];
    expect(ids(await fromLines([...good, ...failed]))).toEqual([
      'info last-boots.good-boot',
      'info last-boots.failed-units',
    ]);
    const then = [...starts('c', 20, '6.1'), finishes('c', 22)];
    expect(ids(await fromLines([...failed, ...then]))).toEqual(['info last-boots.good-boot']);
  });

  test('that systemd has nothing more to do is no good boot', async () => {
    const bad = [...starts('b', 10, '6.1'), fails('b', 11, 'data.mount'), emergency('b', 12)];
    expect(ids(await fromLines([...bad, settles('b', 13)]))).toEqual([
      'info last-boots.emergency',
      'info last-boots.failed-units',
    ]);
  });

  test('emergency mode that was left for the default target is a good boot', async () => {
    const bad = [...starts('b', 10, '6.1'), fails('b', 11, 'data.mount'), emergency('b', 12)];
    expect(ids(await fromLines([...bad, finishes('b', 13)]))).toEqual([
      'info last-boots.good-boot',
    ]);
  });

  test('rescue mode that a person chose is no failed boot', async () => {
    const chosen = [...starts('b', 10, '6.1'), fails('b', 11, 'x.service')];
    const findings = await fromLines([...good, ...chosen, started('b', 12, 'rescue.target')]);
    expect(ids(findings)).toEqual(['info last-boots.good-boot']);
    expect(findings[0]?.meaning).toBe('Later boots were into rescue mode.');
  });

  test('what a machine says a thousand times hides neither beginning nor end of its boot', async () => {
    const server = [...good, fails('a', 4, 'cron-job.service'), ...chatter('a', 5, 25_000)];
    const findings = await fromLines(server);
    expect(ids(findings)).toEqual(['info last-boots.good-boot']);
    expect(findings[0]?.meaning).toContain('the last boot');
  });

  test('a boot whose beginning is no longer in the journal is neither good nor failed', async () => {
    const rest = [fails('b', 30, 'cron-job.service'), ...chatter('b', 31, 50)];
    expect(await fromLines(rest)).toEqual([]);
    const findings = await fromLines([...good, ...rest]);
    expect(ids(findings)).toEqual(['info last-boots.good-boot']);
    expect(findings[0]?.meaning).toBe('Of 1 later boot the journal does not tell how far it came.');
  });

  test('a system whose systemd says little is not taken for one that fails', async () => {
    const [kernel, journald] = starts('a', 1, '6.1');
    const lines = [kernel, journald, fails('a', 2, 'x.service')].filter((one) => one !== undefined);
    expect(await fromLines(lines)).toEqual([]);
  });
});

test('a new kernel that never came up is named when an older one did', async () => {
  const kernels = ['6.1.0-30', '6.1.0-31'].map((version) => ({
    ...{ version, image: `/boot/vmlinuz-${version}`, initramfs: null, modules: true },
  }));
  const lines = [
    ...[...starts('a', 1, '6.1.0-30'), finishes('a', 2)],
    ...[...starts('b', 3, '6.1.0-31'), ...starts('c', 4, '6.1.0-31'), settles('c', 5)],
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
