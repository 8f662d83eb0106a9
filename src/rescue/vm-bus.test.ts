import { expect, test } from 'vitest';
import { makeDevice, makePartition } from '../../fixtures/device.ts';
import { makeTree, type TreeEntry } from '../../fixtures/make-tree.ts';
import { smallInitramfs } from '../../fixtures/small-initramfs.ts';
import { subjectOf } from '../../fixtures/subject.ts';
import { parsedReport, watchedBoot } from '../../fixtures/watched-boot.ts';
import { judgeContainerBoot } from '../verification/container/judge.ts';
import type { BootStage, Proof, VmBus } from '../verification/proof.ts';
import { chooseBus, onChosenBus } from './vm-bus.ts';

const uuid = '0d7c7d2c-1111-4222-8333-444455556666';

const initramfs = (...modules: readonly string[]): Buffer =>
  smallInitramfs(...modules.map((name) => `usr/lib/modules/6.1/kernel/drivers/${name}.ko.xz`));

const menu = (root: string): string =>
  `menuentry a { linux /boot/vmlinuz-6.1 root=${root}\ninitrd /boot/initrd.img-6.1\n}\n`;

const choose = async (
  modules: readonly string[],
  more: Readonly<Record<string, TreeEntry>> = {},
  wish: VmBus | null = null,
) => {
  await using tree = await makeTree({
    'boot/grub/grub.cfg': menu(`UUID=${uuid}`),
    'boot/vmlinuz-6.1': 'k',
    'boot/initrd.img-6.1': initramfs(...modules),
    'usr/lib/modules/6.1/modules.builtin': 'kernel/fs/ext4/ext4.ko\n',
    lib: { link: 'usr/lib' },
    ...more,
  });
  const root = makePartition('/dev/loop0p3', 3, { fsType: 'ext4', uuid });
  const disk = makeDevice('/dev/loop0', { children: [root] });
  const devices = { root, disk, disks: [disk], subvolume: null, volumes: [] };
  return await chooseBus(await subjectOf(tree.root, {}, { devices }), wish);
};

const all = ['virtio_pci', 'virtio_blk', 'virtio_scsi', 'sd_mod', 'nvme', 'ahci'];

test('an initramfs for all machines is tried on virtio', async () => {
  expect(await choose(all)).toEqual({ bus: 'virtio', why: null, unfit: null });
});

test('an initramfs that was made for one machine is tried on its bus', async () => {
  for (const [modules, bus] of [
    [['nvme', 'nvme_core'], 'nvme'],
    [['ahci', 'libahci', 'sd_mod'], 'sata'],
    [['virtio_pci', 'virtio_scsi', 'sd_mod'], 'scsi'],
    // The driver of the disks without that of the bus that they are on.
    [['virtio_blk', 'ahci', 'sd_mod'], 'sata'],
  ] as const) {
    const why = 'since it has no driver for virtio before its root is mounted';
    expect(await choose(modules)).toEqual({ bus, why, unfit: null });
  }
  const builtin = 'kernel/drivers/nvme/host/nvme.ko\n';
  const own = { 'usr/lib/modules/6.1/modules.builtin': builtin };
  expect(await choose([], own)).toMatchObject({ bus: 'nvme', unfit: null });
});

test('a root that the system calls by the name of one bus is tried there', async () => {
  const why = 'as the system itself names the disk of its root';
  const named = (name: string) => ({ 'boot/grub/grub.cfg': menu(name) });
  expect(await choose(all, named('/dev/nvme0n1p2'))).toEqual({ bus: 'nvme', why, unfit: null });
  expect(await choose(all, named('/dev/sda2'))).toEqual({ bus: 'scsi', why, unfit: null });
  expect(await choose(['ahci', 'sd_mod'], named('/dev/sda2'))).toMatchObject({ bus: 'sata', why });
  expect(await choose(all, named('/dev/vda2'))).toEqual({ bus: 'virtio', why: null, unfit: null });
  const fstab = { 'etc/fstab': '/dev/nvme0n1p3 / ext4 defaults 0 1\n' };
  expect(await choose(all, fstab)).toEqual({ bus: 'nvme', why, unfit: null });
});

test('a wish is followed, and what speaks against it is said', async () => {
  expect(await choose(all, {}, 'sata')).toEqual({ bus: 'sata', why: null, unfit: null });
  expect(await choose(['virtio_pci', 'virtio_blk'], {}, 'nvme')).toEqual({
    ...{ bus: 'nvme', unfit: null },
    why: 'for which it has no driver before its root is mounted',
  });
});

test('where it cannot be told what the system can load, it is tried on virtio', async () => {
  const ordinary = { bus: 'virtio', why: null, unfit: null };
  expect(await choose([], { 'boot/initrd.img-6.1': 'damaged' })).toEqual(ordinary);
  expect(await choose([], { 'usr/lib/modules/6.1/modules.builtin': '' })).toEqual(ordinary);
  // No driver for any disk at all: it boots nowhere.
  expect(await choose([])).toEqual(ordinary);
});

const stopped = (stoppedAt: BootStage): Proof => ({
  ...judgeContainerBoot(watchedBoot(parsedReport('healthy-262'))),
  ...{ boots: false, method: 'vm', stoppedAt, cause: 'It stopped.' },
});

test('drivers for other disks only make a boot without its root no verdict', async () => {
  const choice = await choose(['hv_storvsc', 'sd_mod']);
  expect(choice).toEqual({ bus: 'virtio', why: null, unfit: expect.stringContaining('AHCI') });
  const open = onChosenBus(stopped('initramfs'), choice);
  expect([open.boots, open.cause, open.notJudged]).toEqual([false, null, choice.unfit]);
  // What comes before the kernel needs none of its drivers.
  expect(onChosenBus(stopped('boot-loader'), choice).cause).toBe('It stopped.');
});

test('a verdict says what the disks were on, where that is not the ordinary', () => {
  const why = 'since it has no driver for virtio before its root is mounted';
  const proof = onChosenBus(stopped('initramfs'), { bus: 'nvme', why, unfit: null });
  expect(proof.cause).toBe('It stopped.');
  expect(proof.evidence[0]).toBe(`Its disks were on NVMe, ${why}.`);
});
