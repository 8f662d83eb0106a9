import { expect, test } from 'vitest';
import { makeDevice, makePartition } from '../../../fixtures/device.ts';
import { makeTree, type TreeEntry } from '../../../fixtures/make-tree.ts';
import { findingAt, toolsWithoutBench } from '../../../fixtures/repair-tools.ts';
import { subjectOf } from '../../../fixtures/subject.ts';
import type { Finding } from '../../diagnosis/finding.ts';
import type { SystemFacts } from '../../system-image/system-facts.ts';
import { restoreEfi } from './restore-efi.ts';

const type = 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b';
const espOf = (node: string, number: number) =>
  makePartition(node, number, {
    fsType: 'vfat',
    partition: { number, startBytes: number * 2 ** 20, uuid: null, label: null, type },
  });
const root = makePartition('/dev/loop0p3', 3, { fsType: 'ext4', uuid: 'r007' });
const disk = makeDevice('/dev/loop0', {
  partitionTable: 'gpt',
  children: [espOf('/dev/loop0p1', 1), espOf('/dev/loop0p2', 2), root],
});

const mountOf = (device: string, target: string) => ({
  ...{ target, spec: device, device, fsType: 'vfat', options: [] },
  ...{ state: 'mount' as const, note: null },
});
const mounts = [mountOf('/dev/loop0p1', '/boot/efi'), mountOf('/dev/loop0p2', '/efi')];

const program = (name: string): string => `MZ${name}`.padEnd(100, 'x');
const shim = program('shim UEFI SHIM');

const grub: Readonly<Record<string, TreeEntry>> = {
  'usr/lib/shim/shimx64.efi.signed': shim,
  'usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed': program('grub'),
  'boot/efi/EFI/debian/grub.cfg': 'x',
  'efi/EFI/debian/grub.cfg': 'x',
};
const systemdBoot = { 'usr/lib/systemd/boot/efi/systemd-bootx64.efi': program('sdb') };

/** Paths that are written. */
const writtenOn = async (
  files: Readonly<Record<string, TreeEntry>>,
  findings: readonly Finding[] = [],
  loader: SystemFacts['bootLoaders'][number]['name'] = 'grub',
) => {
  await using tree = await makeTree({ ...(loader === 'grub' ? grub : systemdBoot), ...files });
  const facts: Partial<SystemFacts> = {
    architecture: 'x86_64',
    os: { id: 'debian', versionId: '12', prettyName: 'Debian 12' },
    bootLoaders: [{ name: loader, config: null }],
  };
  const devices = { root, disk, disks: [disk], subvolume: null, volumes: [] };
  const subject = await subjectOf(tree.root, facts, { devices, mounts });
  const plan = await restoreEfi.plan(subject, findings, toolsWithoutBench());
  if (plan.kind === 'refused') throw new Error(plan.reason);
  return plan.changes
    .flatMap((change) => (change.kind === 'write-file' ? [change.path] : []))
    .toSorted();
};

const vendor = (top: string) =>
  ['grub.cfg', 'grubx64.efi', 'shimx64.efi'].map((name) => `${top}/EFI/debian/${name}`);
const removable = (top: string) =>
  ['BOOTX64.EFI', 'grubx64.efi'].map((name) => `${top}/EFI/BOOT/${name}`);

test('the programs go to the partition that the finding names', async () => {
  const named = (node: string) => [findingAt('/EFI', null, node)];
  expect(await writtenOn({}, named('/dev/loop0p2'))).toEqual([
    ...[...removable('/efi'), ...vendor('/efi')],
  ]);
  expect(await writtenOn({}, named('/dev/loop0p2 /EFI/debian/shimx64.efi'))).toContain(
    '/efi/EFI/debian/shimx64.efi',
  );
  const both = [...named('/dev/loop0p1'), ...named('/dev/loop0p2')];
  expect(await writtenOn({}, both)).toHaveLength(10);
  // Without a finding, as with --only, it is the first one.
  expect(await writtenOn({})).toEqual([...removable('/boot/efi'), ...vendor('/boot/efi')]);
});

test('a whole program of another system under the removable name stays', async () => {
  const boot = 'boot/efi/EFI/BOOT';
  const ours = vendor('/boot/efi');
  expect(await writtenOn({ [`${boot}/BOOTX64.EFI`]: program('windows') })).toEqual(ours);
  const other = { [`${boot}/BOOTX64.EFI`]: shim, [`${boot}/grubx64.efi`]: program('fedora') };
  expect(await writtenOn(other)).toEqual(ours);
  // Only what is damaged beside it.
  const beside = { [`${boot}/BOOTX64.EFI`]: program('w'), [`${boot}/grubx64.efi`]: 'cut' };
  expect(await writtenOn(beside)).toEqual(['/boot/efi/EFI/BOOT/grubx64.efi', ...ours]);
});

test('what is damaged there, or a shim with nothing to start, is made anew', async () => {
  const boot = 'boot/efi/EFI/BOOT';
  const all = [...removable('/boot/efi'), ...vendor('/boot/efi')];
  expect(await writtenOn({ [`${boot}/BOOTX64.EFI`]: 'cut' })).toEqual(all);
  const alone = await writtenOn({ [`${boot}/BOOTX64.EFI`]: `${shim}other` });
  expect(alone).toEqual(all);
});

test('for systemd-boot it is the same', async () => {
  const own = '/boot/efi/EFI/systemd/systemd-bootx64.efi';
  const windows = { 'boot/efi/EFI/BOOT/BOOTX64.EFI': program('windows') };
  expect(await writtenOn(windows, [], 'systemd-boot')).toEqual([own]);
  expect(await writtenOn({}, [], 'systemd-boot')).toEqual([
    ...['/boot/efi/EFI/BOOT/BOOTX64.EFI', own],
  ]);
});
