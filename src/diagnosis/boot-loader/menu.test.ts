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

test('a root in a volume that the command line opens under its own name', async () => {
  const volume = makeDevice('/dev/dm-0', {
    ...{ kind: 'luks', fsType: 'ext4', uuid, aliases: ['/dev/mapper/rescuekit-7f3a-vdb3'] },
  });
  const container = makePartition('/dev/loop0p3', 3, {
    ...{ fsType: 'crypto_LUKS', uuid: 'c0de', children: [volume] },
  });
  const disk = makeDevice('/dev/loop0', { partitionTable: 'gpt', children: [container] });
  const devices = { root: volume, disk, disks: [disk], subvolume: null, volumes: [] };
  for (const words of [
    '/dev/mapper/cryptroot cryptdevice=UUID=c0de:cryptroot',
    '/dev/mapper/cryptroot rd.luks.name=c0de=cryptroot',
    '/dev/mapper/root cryptroot=UUID=c0de cryptdm=root',
    '/dev/mapper/luks-c0de rd.luks.uuid=luks-c0de',
  ]) {
    expect(await withRoot(words, devices)).toEqual([]);
  }
  const found = ['critical boot-loader.root-argument boot-loader.set-root'];
  for (const words of [
    '/dev/mapper/cryptrot cryptdevice=UUID=c0de:cryptroot',
    '/dev/mapper/cryptroot cryptdevice=UUID=dead:cryptroot',
    '/dev/mapper/cryptroot',
  ]) {
    expect(await withRoot(words, devices)).toEqual(found);
  }
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

/** RHEL 8 on UEFI: the menu is on the EFI system partition, /boot/grub2 leads there. */
const rhel: Readonly<Record<string, TreeEntry | null>> = {
  'boot/grub/grub.cfg': null,
  'boot/grub/grubenv': null,
  'etc/grub2-efi.cfg': { link: '../boot/efi/EFI/redhat/grub.cfg' },
  'boot/grub2/grubenv': { link: '../efi/EFI/redhat/grubenv' },
  'boot/grub2/themes/a': 'x',
  'boot/efi/EFI/redhat/shimx64.efi': 'MZ',
  'boot/efi/EFI/redhat/grub.cfg': 'set default=$saved_entry\ninsmod blscfg\nblscfg\n',
  'boot/efi/EFI/redhat/grubenv': `kernelopts=root=UUID=${uuid} ro\n`,
  'boot/loader/entries/m.conf': `title R\nlinux /vmlinuz-${version}\ninitrd /initrd.img-${version}\noptions $kernelopts\n`,
};

test("RHEL's menu on the EFI system partition is the menu", async () => {
  for (const check of [grubConfigCheck, entriesCheck, rootArgumentCheck]) {
    expect(await find(check, rhel)).toEqual([]);
  }
  const found = ['critical boot-loader.grub-config null'];
  const menuOf = (text: string | null) => ({ ...rhel, 'boot/efi/EFI/redhat/grub.cfg': text });
  expect(await find(grubConfigCheck, menuOf(''))).toEqual(found);
  expect(await find(grubConfigCheck, menuOf(null))).toEqual(found);
  expect(await find(grubConfigCheck, menuOf('if [ a ]; then\n  set b=c\n'))).toEqual(found);
  const lost = `kernelopts=root=UUID=11111111-2222-4333-8444-555566667777 ro\n`;
  expect(await find(rootArgumentCheck, { ...rhel, 'boot/efi/EFI/redhat/grubenv': lost })).toEqual([
    'critical boot-loader.root-argument null',
  ]);
});

test('where the three lines for UEFI are whole, it is the menu in /boot that is missing', async () => {
  const stub = `search --no-floppy --fs-uuid --set=dev ${uuid}\nset prefix=($dev)/boot/grub2\nexport $prefix\nconfigfile $prefix/grub.cfg\n`;
  expect(await find(grubConfigCheck, { ...rhel, 'boot/efi/EFI/redhat/grub.cfg': stub })).toEqual([
    'critical boot-loader.grub-config boot-loader.write-config',
  ]);
  // A partition that is not mounted here hides what is on it.
  const hidden = Object.fromEntries(
    Object.keys(rhel).flatMap((path) => (path.startsWith('boot/efi/') ? [[path, null]] : [])),
  );
  const modules = { 'boot/grub2/x86_64-efi/a': 'm' };
  expect(await find(grubConfigCheck, { ...rhel, ...hidden, ...modules })).toEqual([]);
});
