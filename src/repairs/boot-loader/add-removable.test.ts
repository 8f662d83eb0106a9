import { expect, test } from 'vitest';
import { makeDevice, makePartition } from '../../../fixtures/device.ts';
import { makeTree, type TreeEntry } from '../../../fixtures/make-tree.ts';
import { toolsWithoutBench } from '../../../fixtures/repair-tools.ts';
import { subjectOf } from '../../../fixtures/subject.ts';
import { createHost } from '../../host/host.ts';
import { addRemovable } from './add-removable.ts';

const type = 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b';
const node = '/dev/loop0p1';
const partition = { number: 1, startBytes: 2 ** 20, uuid: null, label: null, type };
const esp = makePartition(node, 1, { fsType: 'vfat', partition });
const root = makePartition('/dev/loop0p2', 2, { fsType: 'ext4' });
const mount = {
  ...{ target: '/boot/efi', spec: 'UUID=1234-ABCD', device: node, fsType: 'vfat' },
  ...{ options: [], state: 'mount' as const, note: null },
};
const program = (name: string): string => `MZ${name}`.padEnd(100, 'x');

const planOf = async (
  files: Readonly<Record<string, TreeEntry>>,
  architecture: string | null = null,
  freeBytes: number = 2 ** 30,
) => {
  const under = Object.entries(files).map(([path, entry]) => [`boot/efi/${path}`, entry] as const);
  await using tree = await makeTree(Object.fromEntries(under));
  const disk = makeDevice('/dev/loop0', { partitionTable: 'gpt', children: [esp, root] });
  const devices = { root, disk, disks: [disk], subvolume: null, volumes: [] };
  const os = { id: 'debian', versionId: '12', prettyName: 'Debian 12' };
  const real = createHost();
  const host = { ...real, files: { ...real.files, freeBytes: async () => freeBytes } };
  const more = { devices, host, mounts: [mount] };
  const subject = await subjectOf(tree.root, { os, architecture }, more);
  const plan = await addRemovable.plan(subject, [], toolsWithoutBench());
  if (plan.kind === 'refused') return plan.reason;
  return plan.changes.map((change) =>
    change.kind === 'write-file'
      ? `${change.path}: ${String(change.content).slice(2, 6)}`
      : `${change.kind} ${'path' in change ? change.path : ''}`,
  );
};

const top = '/boot/efi/EFI/BOOT';

test('shim comes under the removable name, with what it starts beside it', async () => {
  const files = {
    'EFI/alien/grubx64.efi': program('alie'),
    'EFI/debian/shimx64.efi': program('shim'),
    'EFI/debian/grubx64.efi': program('grub'),
    'EFI/debian/mmx64.efi': program('mokm'),
    'EFI/debian/fbx64.efi': program('fall'),
  };
  const made = await planOf(files);
  expect([...made].toSorted()).toEqual(
    [
      `make-directory ${top}`,
      `${top}/BOOTX64.EFI: shim`,
      `${top}/grubx64.efi: grub`,
      `${top}/mmx64.efi: mokm`,
    ].toSorted(),
  );
  expect(made[0]).toBe(`make-directory ${top}`);
});

test('GRUB alone, systemd-boot, and programs for ARM have one file', async () => {
  const one = async (path: string) => (await planOf({ [path]: program('prog') })).slice(1);
  expect(await one('EFI/debian/grubx64.efi')).toEqual([`${top}/BOOTX64.EFI: prog`]);
  expect(await one('EFI/systemd/systemd-bootx64.efi')).toEqual([`${top}/BOOTX64.EFI: prog`]);
  expect(await one('EFI/debian/grubaa64.efi')).toEqual([`${top}/BOOTAA64.EFI: prog`]);
});

test('nothing is done where the path leads on already, and nothing can be without a whole one', async () => {
  expect(await planOf({ 'EFI/BOOT/BOOTX64.EFI': program('prog') })).toEqual([]);
  expect(await planOf({ 'EFI/debian/shimx64.efi': program('shim') })).toMatch(/^No boot loader/);
});

test("the name is that of the system's own machine, and programs for others lead nowhere", async () => {
  const files = { 'EFI/debian/grub.efi': program('prog'), 'EFI/BOOT/BOOTX64.EFI': program('else') };
  expect(await planOf(files, 'aarch64')).toEqual([`${top}/BOOTAA64.EFI: prog`]);
  expect(await planOf(files, 'x86_64')).toEqual([]);
  const both = {
    'EFI/debian/grubx64.efi': program('x64 '),
    'EFI/debian/grubaa64.efi': program('aa64'),
  };
  expect((await planOf(both, 'aarch64')).slice(1)).toEqual([`${top}/BOOTAA64.EFI: aa64`]);
  expect((await planOf(both, 'x86_64')).slice(1)).toEqual([`${top}/BOOTX64.EFI: x64 `]);
  const alien = await planOf({ 'EFI/debian/grubx64.efi': program('x64 ') }, 'aarch64');
  expect(alien).toMatch(/^No boot loader for this system/);
  // Where nothing tells, none is guessed.
  const unknown = await planOf({ 'EFI/debian/grub.efi': program('prog') }, 'riscv64');
  expect(unknown).toMatch(/^No boot loader for this system/);
});

test('nothing is begun that the partition has no room for', async () => {
  const files = { 'EFI/debian/grubx64.efi': program('prog') };
  expect(await planOf(files, 'x86_64', 2 ** 20)).toBe(
    'They need 2 MiB on the EFI system partition, and only 1 MiB are free there.',
  );
});
