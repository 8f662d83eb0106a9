import { expect, test } from 'vitest';
import { makeDevice, makePartition } from '../../../fixtures/device.ts';
import { makeTree, type TreeEntry } from '../../../fixtures/make-tree.ts';
import { smallInitramfs as initramfs } from '../../../fixtures/small-initramfs.ts';
import { subjectOf } from '../../../fixtures/subject.ts';
import type { Device } from '../../devices/device.ts';
import { createHost, type Host } from '../../host/host.ts';
import { RescueError } from '../../host/rescue-error.ts';
import type { Check } from '../check.ts';
import { initramfsCheck } from './initramfs.ts';
import { modulesCheck } from './modules.ts';
import { kernelCheck } from './none.ts';

const uuid = '0d7c7d2c-1111-4222-8333-444455556666';

const module = (name: string): string => `usr/lib/modules/6.1/kernel/fs/${name}.ko`;

const menu = (initrd: string, root = `UUID=${uuid}`) =>
  `menuentry a { linux /boot/vmlinuz-6.1 root=${root}\n${initrd}\n}\n`;

const healthy: Readonly<Record<string, TreeEntry>> = {
  'boot/grub/grub.cfg': menu('initrd /boot/initrd.img-6.1'),
  'boot/vmlinuz-6.1': 'k',
  'boot/config-6.1': 'CONFIG_MODULES=y\n',
  'boot/initrd.img-6.1': initramfs(module('xfs')),
  'usr/lib/modules/6.1/modules.builtin': 'kernel/fs/ext4/ext4.ko\nkernel/drivers/scsi/sd_mod.ko\n',
  'usr/lib/modules/6.1/modules.dep': 'd',
  'usr/lib/modules/6.1/modules.alias': 'a',
  'usr/lib/modules/6.1/kernel/a.ko': 'm',
  lib: { link: 'usr/lib' },
};

const find = async (
  check: Check,
  changed: Readonly<Record<string, TreeEntry | null>> = {},
  root: Device = makePartition('/dev/loop0p3', 3, { fsType: 'xfs', uuid }),
  transport: string | null = null,
  kernelLog: (all: string) => string = (all) => all,
): Promise<readonly string[]> => {
  const entries = Object.entries({ ...healthy, ...changed }).flatMap(([path, entry]) =>
    entry === null ? [] : [[path, entry] as const],
  );
  await using tree = await makeTree(Object.fromEntries(entries));
  const disk = makeDevice('/dev/loop0', { transport, children: [root] });
  const devices = { root, disk, disks: [disk], subvolume: null, volumes: [] };
  const own = createHost();
  const run: Host['run'] = async (command) => {
    if (command.program !== 'journalctl') return own.run(command);
    const file = command.args.find((word) => word.startsWith('--file=')) ?? '';
    const result = await own.run({ program: 'cat', args: [file.slice('--file='.length)] });
    const asksKernel = command.args.includes('_BOOT_ID=a');
    return asksKernel ? { ...result, stdout: kernelLog(result.stdout) } : result;
  };
  const host = { ...own, run };
  const findings = await check.run(await subjectOf(tree.root, {}, { devices, host }));
  return findings.map(({ severity, id }) => `${severity} ${id}`);
};

test('a healthy kernel with its initramfs and modules gives no finding', async () => {
  for (const check of [initramfsCheck, modulesCheck, kernelCheck]) {
    expect(await find(check)).toEqual([]);
  }
});

test('an initramfs that is named and missing, or empty, is critical', async () => {
  expect(await find(initramfsCheck, { 'boot/initrd.img-6.1': null })).toEqual([
    'critical kernel.initramfs-missing',
  ]);
  expect(await find(initramfsCheck, { 'boot/initrd.img-6.1': '' })).toEqual([
    'critical kernel.initramfs-damaged',
  ]);
});

test('a kernel without an initramfs may do without when it knows the root by itself', async () => {
  const ext4 = makePartition('/dev/loop0p3', 3, { fsType: 'ext4', uuid });
  const byPartition = { 'boot/grub/grub.cfg': menu('', 'PARTUUID=1234') };
  expect(await find(initramfsCheck, byPartition, ext4)).toEqual([]);
  expect(await find(initramfsCheck, byPartition)).toEqual(['critical kernel.initramfs-missing']);
  expect(await find(initramfsCheck, { 'boot/grub/grub.cfg': menu('') }, ext4)).toEqual([
    'critical kernel.initramfs-missing',
  ]);
});

test('what the root needs must be built in or in the initramfs', async () => {
  const found = ['critical kernel.initramfs-incomplete'];
  expect(await find(initramfsCheck, { 'boot/initrd.img-6.1': initramfs() })).toEqual(found);
  // Modules of another kernel are of no use to this one.
  const other = initramfs(module('xfs').replace('6.1', '6.2'));
  expect(await find(initramfsCheck, { 'boot/initrd.img-6.1': other })).toEqual(found);
  // Without the list of what is built in nothing is said.
  const unknown = {
    'boot/initrd.img-6.1': initramfs(),
    'usr/lib/modules/6.1/modules.builtin': null,
  };
  expect(await find(initramfsCheck, unknown)).toEqual([]);
});

test('layers below the root need their modules and programs', async () => {
  const volume = makeDevice('/dev/dm-0', { kind: 'lvm', fsType: 'xfs', uuid });
  const array = makeDevice('/dev/md0', {
    ...{ kind: 'raid', children: [volume] },
    stack: {
      ...{ layer: 'md', name: 'md0', uuid: 'a', type: 'raid1', state: 'active' },
      ...{ present: 2, expected: 2 },
    },
  });
  const disk = makeDevice('/dev/loop0', { children: [array] });
  const devices = { root: volume, disk, disks: [disk], subvolume: null, volumes: [] };
  const lvm = initramfs(module('xfs'), module('raid1'), module('dm-mod'), 'usr/sbin/lvm');
  await using tree = await makeTree({ ...healthy, 'boot/initrd.img-6.1': lvm });
  const findings = await initramfsCheck.run(await subjectOf(tree.root, {}, { devices }));
  expect(findings.map(({ title }) => title)).toEqual([
    'The initramfs /boot/initrd.img-6.1 lacks mdadm.',
  ]);
});

const reached = {
  ...{ MESSAGE_ID: '39f53479d3a045ac8e11786248231fbf', UNIT: 'multi-user.target' },
  JOB_RESULT: 'done',
};

/** A journal that the made host's journalctl reads; see `find`. */
const lastBoot = (messages: readonly string[]): Readonly<Record<string, TreeEntry>> => ({
  [`var/log/journal/${'0'.repeat(32)}/system.journal`]: messages
    .map((MESSAGE, index) =>
      JSON.stringify({
        ...{ __REALTIME_TIMESTAMP: `${index}`, _BOOT_ID: 'a', _TRANSPORT: 'kernel', MESSAGE },
        ...(MESSAGE === 'Started' ? reached : {}),
      }),
    )
    .join('\n'),
});

test('the driver of the bus here is told of, and missed where the system names such disks', async () => {
  const incomplete = 'kernel.initramfs-incomplete';
  expect(await find(initramfsCheck, {}, undefined, 'usb')).toEqual([]);
  expect(await find(initramfsCheck, {}, undefined, 'scsi')).toEqual([]);
  for (const transport of ['nvme', 'virtio', 'xen']) {
    expect(await find(initramfsCheck, {}, undefined, transport)).toEqual([`info ${incomplete}`]);
  }
  const fstab = { 'etc/fstab': '/dev/nvme0n1p3 / xfs defaults 0 1\n' };
  expect(await find(initramfsCheck, fstab)).toEqual([`warning ${incomplete}`]);
  const boot = (name: string, message = `XFS (${name}): Mounting V5 Filesystem`) =>
    lastBoot(['Linux version 6.1', message, 'EXT4-fs (sdz1): mounted filesystem', 'Started']);
  expect(await find(initramfsCheck, boot('nvme0n1p3'))).toEqual([`warning ${incomplete}`]);
  expect(await find(initramfsCheck, boot('sda3'))).toEqual([]);
  expect(await find(initramfsCheck, boot('dm-0'))).toEqual([]);
  const cut = lastBoot(['EXT4-fs (vdz1): mounted filesystem', 'Started']);
  expect(await find(initramfsCheck, cut)).toEqual([]);
  // Where the kernel says so much that its first lines are left out of the answer.
  const newest = (all: string) => all.split('\n').slice(1).join('\n');
  const usb = boot('vdz1');
  expect(await find(initramfsCheck, usb, undefined, null, newest)).toEqual([]);
  expect(await find(initramfsCheck, usb)).toEqual([`warning ${incomplete}`]);
  const told = { 'boot/grub/grub.cfg': menu('initrd /boot/initrd.img-6.1', '/dev/vda3') };
  expect(await find(initramfsCheck, told)).toEqual([`warning ${incomplete}`]);
});

test('a journal that gives no answer takes the check down only when it is an interruption', async () => {
  const fail = (code: string) => () => {
    throw new RescueError({ code, message: 'journalctl took longer than 60 s' });
  };
  const log = lastBoot(['Linux version 6.1', 'XFS (vda3): Mounting V5 Filesystem', 'Started']);
  const asked = (code: string) => find(initramfsCheck, log, undefined, 'nvme', fail(code));
  expect(await asked('TIMEOUT')).toEqual(['info kernel.initramfs-incomplete']);
  await expect(asked('INTERRUPTED')).rejects.toMatchObject({ code: 'INTERRUPTED' });
});

test('an initramfs with no driver for any disk reaches none', async () => {
  const none = { 'usr/lib/modules/6.1/modules.builtin': 'kernel/fs/ext4/ext4.ko\n' };
  expect(await find(initramfsCheck, none)).toEqual(['critical kernel.initramfs-incomplete']);
  const one = { 'boot/initrd.img-6.1': initramfs(module('xfs'), module('virtio_blk')) };
  expect(await find(initramfsCheck, { ...none, ...one })).toEqual([]);
});

test('modules that are gone, or were never listed, are found', async () => {
  const gone = Object.fromEntries(
    Object.keys(healthy).flatMap((path) => (path.startsWith('usr/lib/') ? [[path, null]] : [])),
  );
  const directory = { 'usr/lib/x': '' };
  expect(await find(modulesCheck, { ...gone, ...directory })).toEqual([
    'critical kernel.modules-missing',
  ]);
  // A kernel that was built with everything in it has none.
  expect(await find(modulesCheck, { ...gone, ...directory, 'boot/config-6.1': '' })).toEqual([]);
  expect(await find(modulesCheck, { 'usr/lib/modules/6.1/modules.dep': '' })).toEqual([
    'critical kernel.modules-index',
  ]);
  const binary = {
    'usr/lib/modules/6.1/modules.dep': null,
    'usr/lib/modules/6.1/modules.dep.bin': 'b',
  };
  expect(await find(modulesCheck, binary)).toEqual([]);
});

test('no kernel at all is critical only where a boot loader would start one', async () => {
  const none = { 'boot/vmlinuz-6.1': null };
  expect(await find(kernelCheck, none)).toEqual(['critical kernel.none']);
  const outside = { ...none, 'boot/grub/grub.cfg': null };
  expect(await find(kernelCheck, outside)).toEqual([]);
  const hidden = { ...none, 'etc/fstab': 'UUID=1 /boot ext4 defaults 0 2\n' };
  expect(await find(kernelCheck, hidden)).toEqual([]);
});

test('a kernel under a name that is not known is one where a boot loader starts it', async () => {
  const none = { 'boot/vmlinuz-6.1': null };
  const started = (path: string, file: string) => ({
    ...none,
    'boot/grub/grub.cfg': `menuentry "NixOS" { linux ${path} init=/nix/store/a/init\ninitrd /i }\n`,
    [file]: 'k',
  });
  const nixos = started(
    '($drive1)//kernels/a1-linux-6.6-bzImage',
    'boot/kernels/a1-linux-6.6-bzImage',
  );
  expect(await find(kernelCheck, nixos)).toEqual([]);
  const found = ['critical kernel.none'];
  expect(await find(kernelCheck, started('/memtest86+x64.bin', 'boot/memtest86+x64.bin'))).toEqual(
    found,
  );
  // An entry that is not started by itself, and an image without a byte, are no way out.
  const second = {
    ...none,
    'boot/grub/grub.cfg': `${menu('')}menuentry b { linux /boot/other-1 }\n`,
    'boot/other-1': 'k',
  };
  expect(await find(kernelCheck, second)).toEqual(found);
  expect(await find(kernelCheck, { 'boot/vmlinuz-6.1': '' })).toEqual(found);
});
