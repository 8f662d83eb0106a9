import { expect, test } from 'vitest';
import { makeDevice, makePartition } from '../../../fixtures/device.ts';
import { makeTree, type TreeEntry } from '../../../fixtures/make-tree.ts';
import { smallDebian } from '../../../fixtures/small-debian.ts';
import { subjectOf } from '../../../fixtures/subject.ts';
import type { Space } from '../../host/files.ts';
import { noWishes, type RepairPlan } from '../../repairs/repair.ts';
import { enough } from '../../repairs/space/drop-logs.ts';
import { spaceRepairs } from '../../repairs/space/repairs.ts';
import type { Subject } from '../subject.ts';
import { spaceChecks } from './checks.ts';
import { droppableKind } from './droppable.ts';
import { parseUsage, worthNaming } from './largest.ts';

const mebibyte = 2 ** 20;
const roomy: Space = {
  ...{ sizeBytes: 2048 * mebibyte, freeBytes: 900 * mebibyte, availableBytes: 800 * mebibyte },
  ...{ inodes: 100_000, freeInodes: 50_000 },
};

const root = makePartition('/dev/vdb1', 1, { fsType: 'ext4', uuid: 'r' });
const disk = makeDevice('/dev/vdb', { children: [root] });
const devices = { root, disk, disks: [disk], subvolume: null, volumes: [] };

const within = async <T>(
  space: Partial<Space>,
  tree: Readonly<Record<string, TreeEntry>>,
  work: (subject: Subject) => Promise<T>,
): Promise<T> => {
  await using made = await makeTree({ ...smallDebian, ...tree });
  const subject = await subjectOf(made.root, {}, { devices });
  const { host } = subject;
  const files = { ...host.files, space: async () => ({ ...roomy, ...space }) };
  return await work({ ...subject, host: { ...host, files } });
};

const look = async (subject: Subject) =>
  (await Promise.all(spaceChecks.map((check) => check.run(subject)))).flat();

const found = (space: Partial<Space>, tree: Readonly<Record<string, TreeEntry>> = {}) =>
  within(space, tree, async (subject) =>
    (await look(subject)).map(({ severity, id, repair }) => `${severity} ${id} ${repair}`),
  );

test('a file system with room gives nothing, nor does one that keeps no count of inodes', async () => {
  expect(await found({})).toEqual([]);
  expect(await found({ inodes: 0, freeInodes: 0 })).toEqual([]);
  expect(await found({ sizeBytes: 0, freeBytes: 0, availableBytes: 0 })).toEqual([]);
});

test('a full root is critical, and mended only where something may go', async () => {
  const full = { freeBytes: 0, availableBytes: 0 };
  expect(await found(full)).toEqual(['critical space.full-root null']);
  expect(await found(full, { 'var/log/syslog.1': 'old' })).toEqual([
    'critical space.full-root space.drop-logs',
  ]);
  expect(await found({ availableBytes: 0 })).toEqual(['critical space.full-root null']);
  expect(await found({ freeInodes: 0 })).toEqual(['critical space.no-inodes null']);
});

test('what fills it is named with its size', async () => {
  const tree = { 'srv/dump.sql': Buffer.alloc(12 * mebibyte, 1) };
  const [finding] = await within({ freeBytes: 0, availableBytes: 0 }, tree, look);
  expect(finding?.evidence[1]).toMatchObject({
    output: expect.stringContaining('12 MiB  /srv/dump.sql'),
  });
});

test.each([
  ['/var/log/journal/0123456789abcdef0123456789abcdef/system@0005f-0001.journal', 'journal'],
  ['/var/log/journal/0123456789abcdef0123456789abcdef/system.journal', null],
  ['/var/log/nginx/access.log.12.gz', 'rotated'],
  ['/var/log/messages-20260101', 'rotated'],
  ['/var/log/syslog', 'log'],
  ['/var/log/app/data.db', null],
  ['/var/log/lastlog', null],
  ['/var/cache/apt/archives/linux_1_amd64.deb', 'package'],
  ['/var/cache/apt/pkgcache.bin', null],
  ['/srv/backup.gz', null],
])('%s may go as %s', (path, kind) => {
  expect(droppableKind(path, 100 * mebibyte)).toBe(kind);
});

test('a log of usual size stays', () => {
  expect(droppableKind('/var/log/syslog', 20 * mebibyte)).toBeNull();
});

test('no more is taken than is needed', () => {
  const one = { path: '/a', sizeBytes: 10, kind: 'rotated' } as const;
  expect(enough([one, one, one], 15, 0)).toHaveLength(2);
  expect(enough([one, one, one], 0, 2)).toHaveLength(2);
  expect(enough([one], -5, 0)).toEqual([]);
});

const noTools = {
  wishes: noWishes,
  bench: async () => ({ results: [], changes: [] }),
};

test('rotated logs go, a huge log keeps its end, and a link is never followed', async () => {
  const line = 'a line of a log\n';
  const tree = {
    'var/log/a.log.1': 'old',
    'var/log/huge.log': Buffer.from(line.repeat((40 * mebibyte) / line.length)),
    'var/log/link.log.1': { link: '/etc/passwd' },
  };
  const plan = await within(
    { freeBytes: 0, availableBytes: 0 },
    tree,
    async (subject): Promise<RepairPlan> => {
      const [repair] = spaceRepairs;
      if (repair === undefined) throw new Error('there is no repair');
      return repair.plan(subject, await look(subject), noTools);
    },
  );
  if (plan.kind === 'refused') throw new Error(plan.reason);
  expect(plan.changes.map(({ kind }) => kind)).toEqual(['remove', 'write-file']);
  const [, cut] = plan.changes;
  const content = cut?.kind === 'write-file' ? String(cut.content) : '';
  expect(content.startsWith(line)).toBe(true);
  expect(content.length).toBeGreaterThan(mebibyte - 100);
  expect(content.length).toBeLessThanOrEqual(mebibyte);
});

test('of a chain of directories the one that holds it all is named', () => {
  const output =
    '900\t/m/var/log/app\x00950\t/m/var/log\x001000\t/m/var\x00400\t/m/srv\x002000\t/m\x00';
  expect(worthNaming(parseUsage(output, '/m'), 8).map(({ path }) => path)).toEqual([
    '/var/log/app',
    '/srv',
  ]);
});
