import { expect, test } from 'vitest';
import { makeDevice, makePartition } from '../../../fixtures/device.ts';
import { recorded } from '../../../fixtures/fake-host.ts';
import { makeTree, type TreeEntry } from '../../../fixtures/make-tree.ts';
import { subjectOf } from '../../../fixtures/subject.ts';
import type { Device } from '../../devices/device.ts';
import type { Check } from '../check.ts';
import type { SubjectDevices } from '../subject.ts';
import { defaultGrubCheck } from './default-grub.ts';
import { entriesCheck } from './entries.ts';
import { grubConfigCheck } from './grub-config.ts';
import { rootArgumentCheck } from './root-argument.ts';

const version = '6.1.0-56-cloud-amd64';
const uuid = '0d7c7d2c-1111-4222-8333-444455556666';
const menu = recorded('grub/bookworm.cfg');

const devicesWith = (root: Partial<Device> = {}, disk: Partial<Device> = {}): SubjectDevices => {
  const device = makePartition('/dev/loop0p3', 3, { fsType: 'ext4', uuid, ...root });
  const whole = makeDevice('/dev/loop0', {
    partitionTable: 'gpt',
    children: [device],
    ...disk,
  });
  return { root: device, disk: whole, disks: [whole], subvolume: null, volumes: [] };
};

const healthy: Readonly<Record<string, TreeEntry>> = {
  'boot/grub/grub.cfg': menu,
  'boot/grub/grubenv': 'x',
  [`boot/vmlinuz-${version}`]: 'k',
  [`boot/initrd.img-${version}`]: 'i',
};

const find = async (
  check: Check,
  changed: Readonly<Record<string, TreeEntry | null>> = {},
  devices: SubjectDevices | null = devicesWith(),
): Promise<readonly string[]> => {
  const entries = Object.entries({ ...healthy, ...changed }).flatMap(([path, entry]) =>
    entry === null ? [] : [[path, entry] as const],
  );
  await using tree = await makeTree(Object.fromEntries(entries));
  const findings = await check.run(await subjectOf(tree.root, {}, { devices }));
  return findings.map(({ severity, id, repair }) => `${severity} ${id} ${repair}`);
};

test('a healthy menu gives no finding', async () => {
  for (const check of [grubConfigCheck, entriesCheck, rootArgumentCheck, defaultGrubCheck]) {
    expect(await find(check)).toEqual([]);
    expect(await find(check, {}, null)).toEqual([]);
  }
});

test('a menu that is missing, empty or cut off is found', async () => {
  const found = ['critical boot-loader.grub-config boot-loader.write-config'];
  expect(await find(grubConfigCheck, { 'boot/grub/grub.cfg': null })).toEqual(found);
  expect(await find(grubConfigCheck, { 'boot/grub/grub.cfg': '' })).toEqual(found);
  expect(await find(grubConfigCheck, { 'boot/grub/grub.cfg': menu.slice(0, 3900) })).toEqual(found);
  expect(await find(grubConfigCheck, { 'boot/grub/grub.cfg': 'set timeout=1\n' })).toEqual(found);
});

test("a missing menu does not matter where another boot loader has one, nor Fedora's short one", async () => {
  const other = {
    'boot/efi/EFI/systemd/systemd-bootx64.efi': 'MZ',
    'boot/efi/loader/loader.conf': 'timeout 1\n',
    'boot/grub/grub.cfg': null,
  };
  expect(await find(grubConfigCheck, other)).toEqual([]);
  const fedora = {
    'boot/grub/grub.cfg': null,
    'boot/grub/grubenv': null,
    'boot/grub2/grub.cfg': 'insmod blscfg\nblscfg\n',
    'boot/loader/entries/m.conf': `title F\nlinux /vmlinuz-${version}\noptions root=UUID=${uuid}\n`,
  };
  expect(await find(grubConfigCheck, fedora)).toEqual([]);
});

test('an entry without its kernel is critical only when it is the one that starts', async () => {
  const gone = { 'boot/grub/grub.cfg': menu.replaceAll(version, '6.1.0-1') };
  expect(await find(entriesCheck, gone)).toEqual([
    'critical boot-loader.entry-kernel boot-loader.write-config',
    'info boot-loader.entry-kernel null',
    'info boot-loader.entry-kernel null',
  ]);
  const other = { 'boot/grub/grub.cfg': `${menu}menuentry old { linux /boot/vmlinuz-5 }\n` };
  expect(await find(entriesCheck, other)).toEqual(['info boot-loader.entry-kernel null']);
});

test('a search for a file system that is gone counts unless the hint before it is right', async () => {
  const lost = menu
    .replaceAll(`root ${uuid}`, 'root 11111111-2222-4333-8444-555566667777')
    .replaceAll(`'hd0,gpt3' ${uuid}`, "'hd0,gpt3' 11111111-2222-4333-8444-555566667777");
  expect(await find(entriesCheck, { 'boot/grub/grub.cfg': lost })).toEqual([]);
  const both = lost.replaceAll('hd0,gpt3', 'hd0,gpt7');
  expect((await find(entriesCheck, { 'boot/grub/grub.cfg': both }))[0]).toBe(
    'critical boot-loader.entry-place boot-loader.write-config',
  );
});

const withRoot = (
  root: string,
  devices?: SubjectDevices,
  more: Readonly<Record<string, TreeEntry>> = {},
) =>
  find(
    rootArgumentCheck,
    { 'boot/grub/grub.cfg': menu.replaceAll(`root=UUID=${uuid}`, `root=${root}`), ...more },
    devices,
  );

test('a root that is certainly not there is critical', async () => {
  const found = ['critical boot-loader.root-argument boot-loader.set-root'];
  expect(await withRoot('UUID=11111111-2222-4333-8444-555566667777')).toEqual(found);
  expect(await withRoot('LABEL=nowhere')).toEqual(found);
  expect(await withRoot('/dev/sda2')).toEqual(found);
  expect(await withRoot('/dev/hda3')).toEqual(found);
  expect(await withRoot('/dev/sda3', devicesWith({ kind: 'lvm', partition: null }))).toEqual(found);
});

test('a name of the right partition is told of, and doubted only where fstab knows others', async () => {
  const told = ['info boot-loader.root-argument boot-loader.set-root'];
  const on = (transport: string) => devicesWith({}, { transport });
  expect(await withRoot('/dev/sda3')).toEqual(told);
  // A dock and a helper machine attach the disk by a bus of their own.
  for (const transport of ['virtio', 'nvme', 'usb']) {
    expect(await withRoot('/dev/sda3', on(transport))).toEqual(told);
  }
  expect(await withRoot('/dev/vda3', on('virtio'))).toEqual([]);
  const fstab = (name: string, on = '/') => ({ 'etc/fstab': `${name} ${on} ext4 defaults 0 1\n` });
  const doubted = ['warning boot-loader.root-argument boot-loader.set-root'];
  expect(await withRoot('/dev/sda3', on('virtio'), fstab('/dev/vda3'))).toEqual(doubted);
  expect(await withRoot('/dev/sda3', on('virtio'), fstab('/dev/sda3'))).toEqual(told);
  // A data disk may well be on another bus.
  expect(await withRoot('/dev/sda3', on('virtio'), fstab('/dev/vdb1', '/srv'))).toEqual(told);
  expect(await withRoot('/dev/nfs')).toEqual([]);
  expect(await withRoot('ZFS=rpool/ROOT')).toEqual([]);
});

test('a root behind a layer that is still closed is not doubted', async () => {
  const closed = makePartition('/dev/loop0p4', 4, { fsType: 'crypto_LUKS' });
  const devices = devicesWith();
  const disk = { ...devices.disk, children: [devices.root, closed] };
  const more = { ...devices, disk, disks: [disk] };
  expect(await withRoot('UUID=11111111-2222-4333-8444-555566667777', more)).toEqual([]);
});

test('settings that the shell cannot read are found with their line', async () => {
  const found = ['warning boot-loader.default-grub boot-loader.mend-defaults'];
  expect(
    await find(defaultGrubCheck, { 'etc/default/grub': 'A=1\nGRUB_CMDLINE_LINUX="quiet\n' }),
  ).toEqual(found);
  expect(
    await find(defaultGrubCheck, { 'etc/default/grub': 'A=1\n# it\'s "fine\nB="$(nproc)"\n' }),
  ).toEqual([]);
});
