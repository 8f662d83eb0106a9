import { expect, test } from 'vitest';
import { isNetworkFileSystem, isPseudo, parseSpec } from './fstab-spec.ts';

test.each([
  ['UUID="0a34-77FF"', { kind: 'uuid', value: '0a34-77FF' }],
  ["LABEL='my disk'", { kind: 'label', value: 'my disk' }],
  ['PARTUUID=6bdd9a7c-01', { kind: 'partuuid', value: '6bdd9a7c-01' }],
  ['PARTLABEL=root', { kind: 'partlabel', value: 'root' }],
  ['ID=virtio-abc-part1', { kind: 'by-id', name: 'virtio-abc-part1' }],
  ['/dev/disk/by-uuid/0a34-77FF', { kind: 'uuid', value: '0a34-77FF' }],
  ['/dev/disk/by-label/my\\x20disk\\xc3\\xa4', { kind: 'label', value: 'my diskä' }],
  ['/dev/disk/by-partuuid/6bdd9a7c-01', { kind: 'partuuid', value: '6bdd9a7c-01' }],
  ['/dev/disk/by-id/dm-uuid-LVM-x', { kind: 'by-id', name: 'dm-uuid-LVM-x' }],
  ['/dev/disk/by-path/pci-0-part2', { kind: 'by-path', name: 'pci-0-part2' }],
  ['"/dev/sda1"', { kind: 'path', path: '/dev/sda1' }],
  ['/dev//mapper/vg-lv', { kind: 'path', path: '/dev/mapper/vg-lv' }],
  ['/swapfile', { kind: 'file', path: '/swapfile' }],
  ['nonsense', { kind: 'unknown', text: 'nonsense' }],
])('%s says what it points to', (spec, expected) => {
  expect(parseSpec(spec)).toEqual(expected);
});

test('a directory with the bind option is a bind mount, whatever its type says', () => {
  expect(parseSpec('/srv/www', { fsType: 'none', options: ['bind', 'ro'] })).toEqual({
    kind: 'bind',
    path: '/srv/www',
  });
});

test.each([
  ['server:/export', 'nfs4', []],
  ['//server/share', 'cifs', []],
  ['user@host:/dir', 'fuse.sshfs', []],
  ['server:/volume', 'auto', []],
  ['something', 'fuse.mine', ['_netdev']],
])('%s as %s comes over the network', (spec, fsType, options) => {
  expect(isNetworkFileSystem({ spec, fsType, options })).toBe(true);
  expect(parseSpec(spec, { fsType, options }).kind).toBe('network');
});

test('an iSCSI disk with _netdev is still a device', () => {
  expect(parseSpec('UUID=ab', { fsType: 'ext4', options: ['_netdev'] }).kind).toBe('uuid');
});

test('tmpfs and proc are made by the kernel, ext4 and swap are not', () => {
  for (const fsType of ['tmpfs', 'proc', 'devpts', 'overlay']) {
    expect(isPseudo({ fsType, options: [] })).toBe(true);
  }
  expect(isPseudo({ fsType: 'ext4', options: [] })).toBe(false);
  expect(isPseudo({ fsType: 'swap', options: [] })).toBe(false);
});
