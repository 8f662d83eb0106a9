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

const noTools = {
  wishes: noWishes,
  bench: async () => ({ results: [], changes: [] }),
};

const bootTree = {
  'boot/vmlinuz-6.1.0-30-amd64': 'x',
  'boot/initrd.img-6.1.0-30-amd64': Buffer.alloc(8 * mebibyte, 1),
  'boot/initrd.img-6.1.0-9-amd64': Buffer.alloc(2 * mebibyte, 1),
  'boot/grub/grub.cfg.bak': 'x',
  'boot/vmlinuz-6.1.0-30-amd64.dpkg-bak': 'y',
  'lib/modules/6.1.0-30-amd64/modules.dep': 'x',
} as const;

/** A subject whose /boot is a file system of its own, with so much room. */
const withBoot = async <T>(
  free: number,
  tree: Readonly<Record<string, TreeEntry>>,
  work: (subject: Subject) => Promise<T>,
): Promise<T> =>
  within({}, tree, async (subject) => {
    const kernels = [
      {
        version: '6.1.0-30-amd64',
        image: '/boot/vmlinuz-6.1.0-30-amd64',
        initramfs: '/boot/initrd.img-6.1.0-30-amd64',
        modules: true,
      },
    ];
    const room = { ...roomy, sizeBytes: 100 * mebibyte, freeBytes: free, availableBytes: free };
    const space = async (path: string) => (path.endsWith('/boot') ? room : roomy);
    const locate: typeof subject.files.locate = async (path) => {
      const at = await subject.files.locate(path);
      const dev = path === '/boot' ? 77 : (at?.status.dev ?? 0);
      return at === null ? null : { ...at, status: { ...at.status, dev } };
    };
    const mount = { ...{ target: '/boot', spec: 'UUID=b', device: '/dev/vdb2', fsType: 'ext4' } };
    return work({
      ...subject,
      facts: { ...subject.facts, kernels },
      files: { ...subject.files, locate },
      host: { ...subject.host, files: { ...subject.host.files, space } },
      mounts: [{ ...mount, options: [], state: 'mount', note: null }],
    });
  });

test('/boot needs room for an initramfs beside the largest that is there', async () => {
  expect(await withBoot(8 * mebibyte, bootTree, look)).toEqual([]);
  const [finding] = await withBoot(3 * mebibyte, bootTree, look);
  expect(finding).toMatchObject({
    id: 'space.boot-full',
    severity: 'warning',
    repair: 'space.orphan-initramfs',
    title: 'The file system of /boot is full.',
  });
  expect(finding?.evidence).toContainEqual(
    expect.objectContaining({
      path: '/boot/initrd.img-6.1.0-9-amd64',
      text: expect.stringContaining('2.0 MiB: its kernel 6.1.0-9-amd64 is gone'),
    }),
  );
  const big = {
    ...bootTree,
    'boot/initrd.img-6.1.0-30-amd64': Buffer.alloc(30 * mebibyte, 1),
  };
  const [tight] = await withBoot(29 * mebibyte, big, look);
  expect(tight?.title).toContain('has 29 MiB left, and an initramfs needs 30 MiB');
});

test("Fedora's rescue copy is never made anew and needs no room", async () => {
  const rescue = '0-rescue-0123456789abcdef0123456789abcdef';
  const tree = {
    ...bootTree,
    [`boot/vmlinuz-${rescue}`]: 'k',
    [`boot/initramfs-${rescue}.img`]: Buffer.alloc(30 * mebibyte, 1),
  };
  const withRescue = (subject: Subject) => {
    const [image, initramfs] = [`/boot/vmlinuz-${rescue}`, `/boot/initramfs-${rescue}.img`];
    const copy = { version: rescue, image, initramfs, modules: false };
    const kernels = [...subject.facts.kernels, copy];
    return look({ ...subject, facts: { ...subject.facts, kernels } });
  };
  expect(await withBoot(20 * mebibyte, tree, withRescue)).toEqual([]);
});

test('only an initramfs without kernel, modules, entry and link goes', async () => {
  const repair = spaceRepairs.find(({ id }) => id === 'space.orphan-initramfs');
  const plan = (tree: Readonly<Record<string, TreeEntry>>) =>
    withBoot(0, { ...bootTree, ...tree }, async (subject) => repair?.plan(subject, [], noTools));
  expect(await plan({ 'boot/initrd.img-6.1.0-30-amd64kdump': 'x' })).toMatchObject({
    changes: [{ kind: 'remove', path: '/boot/initrd.img-6.1.0-9-amd64' }],
  });
  const old = '6.1.0-9-amd64';
  const entry = `menuentry 'old' {\n linux /vmlinuz-own root=UUID=r\n initrd /initrd.img-${old}\n}\n`;
  for (const tree of [
    { [`boot/vmlinuz-${old}`]: 'x' },
    { [`lib/modules/${old}/modules.dep`]: 'x' },
    { 'initrd.img.old': { link: `boot/initrd.img-${old}` } },
    { 'boot/grub/grub.cfg': entry },
  ]) {
    expect(await plan(tree)).toMatchObject({ kind: 'refused' });
  }
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
