import { expect, test } from 'vitest';
import { makeDevice, makePartition } from '../../../fixtures/device.ts';
import { makeTree, type TreeEntry } from '../../../fixtures/make-tree.ts';
import { smallInitramfs } from '../../../fixtures/small-initramfs.ts';
import { subjectOf } from '../../../fixtures/subject.ts';
import type { Change } from '../../changes/change.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import { createHost } from '../../host/host.ts';
import { noWishes, type RepairTools } from '../repair.ts';
import { dpkgConfigureRepair } from './dpkg-configure.ts';

const root = makePartition('/dev/loop0p3', 3, { fsType: 'xfs', uuid: 'u' });
const disk = makeDevice('/dev/loop0', { children: [root] });
const devices = { root, disk, disks: [disk], subvolume: null, volumes: [] };

const whole = [
  'usr/lib/modules/6.1/kernel/fs/xfs.ko',
  'usr/lib/modules/6.1/kernel/drivers/nvme.ko',
];
const initrd = '/boot/initrd.img-6.1';

const system: Readonly<Record<string, TreeEntry>> = {
  'boot/vmlinuz-6.1': 'k',
  'etc/initramfs-tools/conf.d/resume': 'RESUME=none\n',
  'usr/lib/modules/6.1/modules.builtin': 'kernel/none.ko\n',
  lib: { link: 'usr/lib' },
  'var/lib/dpkg/status':
    'Package: tool\nStatus: install ok triggers-pending\nVersion: 1\nArchitecture: all\n',
};

type More = {
  /** What the bench left: paths, with the file of the tree that each is. */
  readonly made?: readonly string[];
  readonly names?: readonly string[];
  readonly files?: Readonly<Record<string, TreeEntry>>;
  readonly subject?: Partial<Subject>;
  readonly freeBytes?: number;
};

/** The changed paths, or why nothing is done; and what was put on the bench. */
const planOf = async (more: More) => {
  const made = { 'made.img': smallInitramfs(...(more.names ?? whole)) };
  await using tree = await makeTree({ ...system, ...made, ...more.files });
  const real = createHost();
  const free = async () => more.freeBytes ?? 2 ** 30;
  const host = { ...real, files: { ...real.files, freeBytes: free } };
  const subject = await subjectOf(tree.root, {}, { devices, host, ...more.subject });
  const prepared: Change[] = [];
  const tools: RepairTools = {
    wishes: noWishes,
    bench: async (_, prepare = []) => {
      prepared.push(...prepare);
      return {
        results: [{ exitCode: 0, stdout: '', stderr: '' }],
        changes: (more.made ?? [initrd]).map((path) => ({
          ...{ kind: 'copy-entry', path, from: `${tree.root}/made.img` },
        })),
      };
    },
  };
  const plan = await dpkgConfigureRepair.plan(subject, [], tools);
  const paths = (changes: readonly Change[]) =>
    changes.map((change) => ('path' in change ? change.path : ''));
  return {
    plan: plan.kind === 'refused' ? plan.reason : paths(plan.changes),
    prepared: paths(prepared),
  };
};

test('an initramfs that the run has made is taken over when it holds what the root needs', async () => {
  const { plan, prepared } = await planOf({});
  expect(plan).toEqual([initrd]);
  // On the bench there is no disk by which MODULES=dep could choose.
  expect(prepared).toContain('/etc/initramfs-tools/conf.d/zzz-all-modules');
  const links = await planOf({ made: ['/etc/hosts', '/boot/initrd.img-6.1.bak'], names: [] });
  expect(links.plan).toEqual(['/etc/hosts', '/boot/initrd.img-6.1.bak']);
});

test('one that lacks a driver of the root, or is damaged, is refused', async () => {
  const lacks = await planOf({ names: whole.slice(1) });
  expect(lacks.plan).toMatch(/\/boot\/initrd\.img-6\.1 was made anew, but it lacks the xfs driver/);
  const damaged = await planOf({ files: { 'made.img': 'no archive' } });
  expect(damaged.plan).toMatch(/was made anew, but it is damaged/);
});

test('one that knows nothing of the encrypted root is refused', async () => {
  const files = { 'etc/crypttab': 'root UUID=1234 none luks\n' };
  const names = [...whole, 'usr/sbin/cryptsetup', 'scripts/local'];
  const { plan } = await planOf({ files, names });
  expect(plan).toMatch(/it does not know which encrypted volume to open/);
  const knows = await planOf({ files, names: [...names, 'cryptroot/crypttab'] });
  expect(knows.plan).toEqual([initrd]);
});

test('one without room, one of no kernel, and a menu are refused', async () => {
  expect((await planOf({ freeBytes: 2 ** 20 })).plan).toMatch(/it needs 1 MiB in \/boot/);
  const alien = await planOf({ made: ['/boot/initrd.img-5.0'] });
  expect(alien.plan).toMatch(/it cannot be told for which kernel it is/);
  const menu = await planOf({ made: ['/boot/grub/grub.cfg'] });
  expect(menu.plan).toMatch(/grub\.cfg was made anew where the disks cannot be seen/);
});

test('nothing is done while /boot is not mounted', async () => {
  const files = { 'etc/fstab': 'UUID=1 / xfs defaults 0 1\nUUID=2 /boot ext4 defaults 0 2\n' };
  const hidden = await planOf({ files });
  expect(hidden.plan).toMatch(/^fstab names a file system for \/boot that is not mounted here/);
  const mount = {
    ...{ target: '/boot', spec: 'UUID=2', device: '/dev/loop0p2', fsType: 'ext4' },
    ...{ options: [], state: 'mount' as const, note: null },
  };
  expect((await planOf({ files, subject: { mounts: [mount] } })).plan).toEqual([initrd]);
  // Of a directory nothing is known of mounts.
  expect((await planOf({ files, subject: { devices: null } })).plan).toEqual([initrd]);
});
