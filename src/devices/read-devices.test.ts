import { expect, test } from 'vitest';
import { diskLinks, type FakeFile, fakeHost, recorded } from '../../fixtures/fake-host.ts';
import { unannouncedGpt } from '../../fixtures/gpt-disk.ts';
import type { Command } from '../host/command.ts';
import { type Device, deviceSchema, flattenDevice } from './device.ts';
import { findDevice, readDevices } from './read-devices.ts';

type Files = Readonly<Record<string, FakeFile>>;

const nothingFound = { exitCode: 2 };

const hostWith = (listing: string, files: Files, others = (_: Command) => nothingFound as object) =>
  fakeHost(
    (command) => (command.program === 'lsblk' ? { stdout: recorded(listing) } : others(command)),
    files,
  );

const read = (listing: string, files: Files = {}): Promise<readonly Device[]> =>
  readDevices(hostWith(listing, files), { isOwnMount: () => false });

const mounts = (...lines: readonly (readonly [string, string])[]): Files => ({
  '/proc/self/mountinfo': lines
    .map(([number, path]) => `1 0 ${number} / ${path} rw - ext4 /dev/x rw\n`)
    .join(''),
});

const disk = (devices: readonly Device[], path: string): Device => {
  const found = findDevice(devices, path);
  if (found === null) throw new Error(`${path} is not there`);
  return found;
};

test('virtio: own disk protected with its reason, attached volume free and named', async () => {
  const devices = await read('lsblk/virtio.json', mounts(['254:1', '/'], ['254:15', '/boot/efi']));
  expect(disk(devices, '/dev/vda').protected?.reason).toBe("this machine's own disk: / is on it");
  expect(disk(devices, '/dev/vdb')).toMatchObject({
    protected: null,
    transport: 'virtio',
    volumeId: '0b9d6a52-9d3e-4c55-8',
    partitionTable: 'gpt',
  });
  expect(disk(devices, '/dev/vdb3')).toMatchObject({ kind: 'partition', fsType: 'ext4' });
});

test('NVMe: a clone with the UUIDs of the own disk is told from it by the kernel alone', async () => {
  const devices = await read('lsblk/nvme-ebs.json', mounts(['259:1', '/']));
  const [own, clone] = devices;
  expect(own?.children[0]?.uuid).toBe(clone?.children[0]?.uuid);
  expect(own?.protected).not.toBeNull();
  expect(clone).toMatchObject({ protected: null, volumeId: 'vol-0abc1234def567890' });
  expect(disk(devices, '/dev/nvme2n1').volumeId).toBeNull();
});

test('Azure: the unit number comes from the link; floppies are not shown', async () => {
  const links = diskLinks({
    'azure/scsi1/lun0': 'sdc',
    'azure/scsi1/lun0-part1': 'sdc1',
    'by-id/scsi-360022480deadbeef0123456789abcdef': 'sdc',
  });
  const host = hostWith('lsblk/scsi-azure.json', { ...mounts(['8:1', '/']), ...links });
  const devices = await readDevices(host, { isOwnMount: () => false });
  expect(disk(devices, '/dev/sdc')).toMatchObject({ volumeId: 'lun-0', transport: 'scsi' });
  expect(findDevice(devices, '/dev/disk/azure/scsi1/lun0')?.name).toBe('sdc');
  expect(host.commands[0]?.args.join(' ')).toContain('--exclude 1,2');
});

test('Xen: disks without serial or link have no volume id', async () => {
  const devices = await read('lsblk/xen-2.34.json', mounts(['202:1', '/']));
  expect(disk(devices, '/dev/xvdf')).toMatchObject({ transport: 'xen', volumeId: null });
});

test('multipath: the map is the disk, its paths say so and have nothing below', async () => {
  const devices = await read('lsblk/multipath.json', mounts(['8:1', '/']));
  const map = disk(devices, '/dev/mapper/mpatha');
  expect(devices.map((device) => device.name)).toEqual(['sda', 'sdb', 'dm-0', 'sdc']);
  expect(map).toMatchObject({ kind: 'multipath', path: '/dev/dm-0', serial: '80A1B]Nm4X2k' });
  expect(map.protected).toBeNull();
  expect(map.children.map((child) => child.partition?.number)).toEqual([1, 2]);
  expect(disk(devices, '/dev/sdb').children).toEqual([]);
  expect(disk(devices, '/dev/sdb').protected?.reason).toContain('multipath disk mpatha');
});

test('md and LVM below the root protect both disks and every volume; others are told apart', async () => {
  const devices = await read('lsblk/md-lvm-host.json', mounts(['253:0', '/']));
  for (const path of ['/dev/sda', '/dev/sdb', '/dev/mapper/vg0-old--data']) {
    expect(disk(devices, path).protected?.reason).toBe("this machine's own disk: / is on it");
  }
  expect(disk(devices, '/dev/md0').kind).toBe('raid');
  expect(disk(devices, '/dev/sdc').protected).toBeNull();
  expect(disk(devices, '/dev/sdd').protected).toBeNull();
});

const withoutUdev = (command: Command): object => {
  if (command.program === 'sfdisk') return { stdout: recorded('sfdisk/gpt.json') };
  if (command.args.includes('--offset')) {
    return command.args.includes('10485760')
      ? { stdout: recorded('blkid/gpt-root-range.txt') }
      : nothingFound;
  }
  const asked = command.args.slice(3);
  const blocks = recorded('blkid/whole.txt').trim().split('\n\n');
  const known = asked.map((path) => blocks.find((block) => block.startsWith(`DEVNAME=${path}\n`)));
  const stop = known.indexOf(undefined);
  const shown = stop === -1 ? known : known.slice(0, stop);
  const exitCode = stop === -1 ? 0 : asked[stop] === '/dev/loop3' ? 8 : 2;
  return { exitCode, stdout: shown.join('\n\n') };
};

test('without udev the devices themselves are probed, partitions that the kernel misses included', async () => {
  const host = hostWith('lsblk/no-udev.json', mounts(['254:0', '/']), withoutUdev);
  const devices = await readDevices(host, { isOwnMount: () => false });
  expect(disk(devices, '/dev/loop0p3')).toMatchObject({
    path: null,
    fsType: 'ext4',
    label: 'gptroot',
  });
  expect(disk(devices, '/dev/loop1p5')).toMatchObject({ path: '/dev/loop1p5', label: 'logical' });
  expect(disk(devices, '/dev/loop3').fsType).toBe('ambiguous');
  expect(disk(devices, '/dev/loop4').fsType).toBeNull();
  expect(disk(devices, '/dev/vda')).toMatchObject({ fsType: 'ext4', mountpoints: ['/'] });
  expect(findDevice(devices, '/dev/zram0')).toBeNull();
});

test('a table that nothing announces is read on disks, loops and arrays, not on volumes of LVM', async () => {
  const node = (name: string, type: string, children: readonly object[] = []) => ({
    ...{ name, kname: name, 'maj:min': '8:0', type, size: 200 * 512, model: null, serial: null },
    ...{ vendor: null, tran: null, ro: false, fstype: null, label: null, uuid: null },
    ...{ pttype: null, parttype: null, partuuid: null, partlabel: null, children },
  });
  const blockdevices = [
    node('/dev/sda', 'disk'),
    node('/dev/loop0', 'loop'),
    node('/dev/md0', 'raid1'),
    { ...node('/dev/dm-0', 'lvm'), name: '/dev/mapper/vg0-guest' },
    { ...node('/dev/dm-1', 'crypt'), name: '/dev/mapper/secret' },
    { ...node('/dev/dm-2', 'mpath'), name: '/dev/mapper/mpatha' },
  ];
  const names = ['sda', 'loop0', 'md0', 'dm-0', 'dm-1', 'dm-2'];
  const sizes = Object.fromEntries(names.map((name) => [`/sys/class/block/${name}/size`, '200']));
  const bytes = unannouncedGpt(200);
  const host = fakeHost(
    ({ program }) =>
      program === 'lsblk' ? { stdout: JSON.stringify({ blockdevices }) } : nothingFound,
    sizes,
  );
  const readAt = async (_: string, at: number, length: number) => bytes.subarray(at, at + length);
  const files = { ...host.files, readAt };
  const devices = await readDevices({ ...host, files }, { isOwnMount: () => false });
  expect(
    devices.map(({ name, children }) => [name, children.map((child) => child.partition?.number)]),
  ).toEqual(names.map((name) => [name, name.startsWith('dm-') ? [] : [1]]));
});

test('waits for udev only while it has events', async () => {
  const calm = hostWith('lsblk/virtio.json', {});
  await readDevices(calm, { isOwnMount: () => false });
  expect(calm.commands.map((command) => command.program)).not.toContain('udevadm');
  const busy = hostWith('lsblk/virtio.json', { '/run/udev/queue': '' }, (command) =>
    command.program === 'udevadm' ? {} : nothingFound,
  );
  await readDevices(busy, { isOwnMount: () => false });
  expect(busy.commands[0]?.program).toBe('udevadm');
});

test.each(['virtio', 'nvme-ebs', 'scsi-azure', 'xen-2.34', 'multipath', 'md-lvm-host', 'no-udev'])(
  'every device of %s fits the documented shape',
  async (name) => {
    for (const device of (await read(`lsblk/${name}.json`)).flatMap(flattenDevice)) {
      expect(deviceSchema.parse(device)).toEqual(device);
      expect(device.sizeBytes).toBeGreaterThan(0);
    }
  },
);

test('no command is said to change anything', async () => {
  const host = hostWith('lsblk/no-udev.json', {}, withoutUdev);
  await readDevices(host, { isOwnMount: () => false });
  expect(host.commands.filter((command) => command.changes !== false)).toEqual([]);
});
