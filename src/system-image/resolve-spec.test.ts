import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeDevice as device, makePartition as part } from '../../fixtures/device.ts';
import { type Device, flattenDevice } from '../devices/device.ts';
import { type ResolveContext, resolveSpec } from './resolve-spec.ts';

const disk = (path: string, children: readonly Device[], more: Partial<Device> = {}): Device =>
  device(path, { partitionTable: 'gpt', children, ...more });

const rootUuid = '0a3407de-014b-458b-b5c1-848e92a327a3';
const esp = part('/dev/vdb1', 1, { fsType: 'vfat', uuid: '1B2C-3D4E', label: 'EFI' });
const root = part('/dev/vdb2', 2, {
  fsType: 'ext4',
  uuid: rootUuid,
  label: 'my root',
  partition: { number: 2, startBytes: 0, uuid: '6bdd9a7c-02', label: 'root fs', type: null },
});
const swap = part('/dev/vdb3', 3, { fsType: 'swap', uuid: 'sw' });
const vdb = disk('/dev/vdb', [esp, root, swap]);

const resolve = (spec: string, fsType = 'auto', context: Partial<ResolveContext> = {}) =>
  resolveSpec({ spec, fsType, options: [] }, { devices: [vdb], rootDisk: vdb, ...context });

test.each([
  `UUID=${rootUuid}`,
  `UUID="${rootUuid}"`,
  'LABEL="my root"',
  'PARTUUID=6bdd9a7c-02',
  'PARTUUID=6BDD9A7C-02',
  'PARTLABEL="root fs"',
  `/dev/disk/by-uuid/${rootUuid}`,
  '/dev/disk/by-label/my\\x20root',
  '/dev/disk/by-partlabel/root\\x20fs',
])('%s is found exactly', (spec) => {
  expect(resolve(spec)).toMatchObject({ kind: 'found', device: root, how: 'exact' });
});

test('the UUID of a FAT in small letters is found, with a word about it', () => {
  const found = resolve('UUID=1b2c-3d4e', 'vfat');
  expect(found).toMatchObject({ kind: 'found', device: esp, how: 'exact' });
  expect(found.kind === 'found' && found.note).toMatch(/letter case/);
  expect(resolve('LABEL=efi')).toMatchObject({ kind: 'missing' });
});

test('an empty tag is no device', () => {
  expect(resolve('UUID=')).toMatchObject({ kind: 'missing' });
});

test("the host's own devices are never taken, not even for what stands on them", () => {
  const own = disk('/dev/vda', [part('/dev/vda2', 2, { fsType: 'ext4', uuid: rootUuid })], {
    protected: { reason: 'this machine runs from it' },
  });
  expect(resolve(`UUID=${rootUuid}`, 'ext4', { devices: [own], rootDisk: null })).toMatchObject({
    kind: 'missing',
  });
  expect(resolve('/dev/vda2', 'ext4', { devices: [own, vdb] })).toMatchObject({ device: root });
});

const clone = disk('/dev/vdc', [part('/dev/vdc2', 2, { fsType: 'ext4', uuid: rootUuid })]);

test('of clones the one on the root disk is meant, and without one it is ambiguous', () => {
  const devices = [clone, vdb];
  expect(resolve(`UUID=${rootUuid}`, 'ext4', { devices })).toMatchObject({ device: root });
  expect(resolve(`UUID=${rootUuid}`, 'ext4', { devices, rootDisk: null })).toMatchObject({
    kind: 'ambiguous',
    candidates: [{ path: '/dev/vdc2' }, { path: '/dev/vdb2' }],
  });
});

test('of a multipath disk the upper device is meant, once', () => {
  const upper = device('/dev/dm-0', { kind: 'multipath', fsType: 'ext4', uuid: 'u' });
  const paths = ['/dev/sda', '/dev/sdb'].map((path) =>
    device(path, { uuid: 'u', fsType: 'ext4', children: [upper] }),
  );
  expect(resolve('UUID=u', 'ext4', { devices: paths, rootDisk: null })).toMatchObject({
    kind: 'found',
    device: { path: '/dev/dm-0' },
  });
});

test('several devices of one btrfs on the root disk are one file system', () => {
  const members = [1, 2].map((n) => part(`/dev/vde${n}`, n, { fsType: 'btrfs', uuid: 'b' }));
  const vde = disk('/dev/vde', members);
  expect(resolve('UUID=b', 'btrfs', { devices: [vde], rootDisk: vde })).toMatchObject({
    kind: 'found',
    device: { path: '/dev/vde1' },
  });
});

test.each(['/dev/sda2', '/dev/vda2', '/dev/nvme0n1p2', '/dev/xvda2', '/dev/hda2', '/dev/vdb2'])(
  '%s of an earlier boot is guessed by number and type, and says so',
  (spec) => {
    const found = resolve(spec, 'ext4');
    expect(found).toMatchObject({ kind: 'found', device: root, how: 'guessed' });
    expect(found.kind === 'found' && found.note).toMatch(/name of an earlier boot/);
  },
);

test('a guess needs the right type: swap is not mounted as ext4', () => {
  expect(resolve('/dev/sda3', 'ext4')).toMatchObject({ kind: 'missing' });
  expect(resolve('/dev/sda3', 'swap')).toMatchObject({ device: swap });
  expect(resolve('/dev/sda2', 'ext3')).toMatchObject({ device: root });
});

const data = disk('/dev/vdd', [part('/dev/vdd2', 2, { fsType: 'ext4', uuid: 'data' })]);

test("the root's own line tells which of two disks an old name means", () => {
  const context = { devices: [vdb, data], rootSpec: '/dev/sda2' };
  expect(resolve('/dev/sda2', 'ext4', context)).toMatchObject({ device: root });
  expect(resolve('/dev/sdb2', 'ext4', context)).toMatchObject({ device: { path: '/dev/vdd2' } });
});

test('a disk that is not attached is not replaced by a partition of the root disk', () => {
  expect(resolve('/dev/sdb2', 'ext4', { rootSpec: '/dev/sda2' })).toMatchObject({
    kind: 'missing',
  });
  expect(resolve('/dev/sdb2', 'ext4', { taken: [root] })).toMatchObject({ kind: 'missing' });
});

test('with two disks and nothing to go by a second-disk name is ambiguous', () => {
  const context = { devices: [vdb, data] };
  expect(resolve('/dev/sdb2', 'ext4', context)).toMatchObject({ kind: 'ambiguous' });
  expect(resolve('/dev/sda2', 'ext4', context)).toMatchObject({ device: root });
});

test('a whole disk with a file system is guessed where there is only one', () => {
  const whole = device('/dev/vdf', { fsType: 'xfs' });
  expect(resolve('/dev/xvdf', 'xfs', { devices: [vdb, whole] })).toMatchObject({ device: whole });
});

test('a slot of another machine is guessed by the partition number', () => {
  expect(resolve('/dev/disk/by-path/pci-0000:00:10.0-scsi-0:0:0:0-part2', 'ext4')).toMatchObject({
    device: root,
    how: 'guessed',
  });
});

test('a by-id name is found by its link, and by the serial number on another bus', () => {
  const linked = part('/dev/vdb2', 2, {
    fsType: 'ext4',
    aliases: ['/dev/disk/by-id/virtio-abc123-part2'],
  });
  const serial = disk('/dev/vdb', [linked], { serial: 'abc123' });
  const context = { devices: [serial], rootDisk: serial };
  expect(resolve('/dev/disk/by-id/virtio-abc123-part2', 'ext4', context)).toMatchObject({
    how: 'exact',
  });
  expect(resolve('/dev/disk/by-id/ata-Model_abc123-part2', 'ext4', context)).toMatchObject({
    device: linked,
    how: 'guessed',
  });
  expect(resolve('/dev/disk/by-id/ata-Model_other-part2', 'ext4', context)).toMatchObject({
    kind: 'missing',
  });
});

const lvmUuid = `dm-uuid-LVM-${'v'.repeat(32)}${'l'.repeat(32)}`;
const volume = device('/dev/dm-0', {
  kind: 'lvm',
  fsType: 'xfs',
  aliases: ['/dev/mapper/my--vg-root', `/dev/disk/by-id/${lvmUuid}`],
});
const onLvm = disk('/dev/vdg', [
  part('/dev/vdg1', 1, { fsType: 'LVM2_member', children: [volume] }),
]);

test.each(['/dev/mapper/my--vg-root', '/dev/my-vg/root', `/dev/disk/by-id/${lvmUuid}`])(
  'a logical volume is found as %s',
  (spec) => {
    expect(resolve(spec, 'xfs', { devices: [onLvm], rootDisk: onLvm })).toMatchObject({
      device: volume,
      how: 'exact',
    });
  },
);

test('what may be inside an unopened layer is missing, and the reason says so', () => {
  const closed = disk('/dev/vdg', [part('/dev/vdg1', 1, { fsType: 'crypto_LUKS' })]);
  const found = resolve('UUID=inside', 'ext4', { devices: [closed], rootDisk: closed });
  expect(found.kind === 'missing' && found.reason).toMatch(/not open yet/);
});

test('an array is found by its name, and by being the only one under another number', () => {
  const array = device('/dev/md127', { kind: 'raid', fsType: 'ext4', aliases: ['/dev/md/root'] });
  const devices = [disk('/dev/vdh', [part('/dev/vdh1', 1, { children: [array] })])];
  const context = { devices, rootDisk: null };
  expect(resolve('/dev/md/root', 'ext4', context)).toMatchObject({ device: array, how: 'exact' });
  // mdadm gives md127 to whatever comes first: on another boot that was another array.
  expect(resolve('/dev/md127', 'ext4', context)).toMatchObject({ device: array, how: 'guessed' });
  expect(resolve('/dev/md0', 'ext4', context)).toMatchObject({ device: array, how: 'guessed' });
});

test('network, pseudo and bind entries stand on no device', () => {
  expect(resolve('server:/x', 'nfs').kind).toBe('no-device');
  expect(resolve('tmpfs', 'tmpfs').kind).toBe('no-device');
  expect(resolve('/swapfile', 'swap').kind).toBe('no-device');
});

test('whatever a line says, only an attached and unprotected device comes out', () => {
  const own = disk('/dev/vda', [part('/dev/vda2', 2, { fsType: 'ext4', uuid: rootUuid })], {
    protected: { reason: 'own' },
  });
  const attached = new Set(flattenDevice(vdb));
  const spec = fc.oneof(
    fc.constantFrom(`UUID=${rootUuid}`, 'LABEL=EFI', '/dev/vda2', '/dev/vda', '/dev/sda1'),
    fc.string().map((text) => `UUID=${text}`),
    fc.string().map((text) => `/dev/${text}`),
    fc.string(),
  );
  fc.assert(
    fc.property(spec, fc.constantFrom('ext4', 'auto', 'swap', 'vfat'), (text, fsType) => {
      const found = resolve(text, fsType, { devices: [vdb, own] });
      if (found.kind === 'found') expect(attached.has(found.device)).toBe(true);
      if (found.kind === 'ambiguous') {
        expect(found.candidates.every((candidate) => attached.has(candidate))).toBe(true);
      }
    }),
  );
});

test('all devices of a btrfs that was put together are that one, on several disks too', () => {
  const parts = ['/dev/vdm', '/dev/vdn'].map((path) =>
    device(path, { fsType: 'btrfs', uuid: 'data' }),
  );
  const volume = {
    fsid: 'data',
    device: '/dev/vdm',
    members: ['/dev/vdm', '/dev/vdn'],
    shownOn: ['/dev/vdm', '/dev/vdn'],
    copies: [],
    degraded: false,
  };
  const among = { devices: [vdb, ...parts] };
  expect(resolve('UUID=data', 'btrfs', among)).toMatchObject({ kind: 'ambiguous' });
  expect(resolve('UUID=data', 'btrfs', { ...among, volumes: [volume] })).toMatchObject({
    kind: 'found',
    device: parts[0],
    note: 'one of the 2 devices of this btrfs',
  });
  // A clone has another UUID for the time of the session, its fstab still has the old one.
  const renamed = device('/dev/vdo', { fsType: 'btrfs', uuid: 'temporary' });
  const clone = { ...volume, device: '/dev/vdo', members: ['/dev/vdo'], shownOn: ['/dev/vdo'] };
  const beside = { devices: [...parts, renamed], volumes: [clone] };
  expect(resolve('UUID=data', 'btrfs', beside)).toMatchObject({ kind: 'found', device: renamed });
});
