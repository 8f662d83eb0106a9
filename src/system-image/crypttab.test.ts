import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeDevice, makePartition } from '../../fixtures/device.ts';
import type { Device } from '../devices/device.ts';
import { parseCrypttab } from './crypttab.ts';
import { resolveSpec } from './resolve-spec.ts';

const text = `# <target name> <source device> <key file> <options>
vda3_crypt UUID=11111111-2222-4333-8444-555555555555 none luks,discard

home\tPARTUUID=6bdd9a7c-02   /etc/keys/home.key\tluks,header=/boot/home.hdr
data /dev/disk/by-label/my\\040disk
swap /dev/vda5 /dev/urandom swap,cipher=aes-xts-plain64
alone
`;

test('a line has name, device, key file and options; a name alone is no line', () => {
  expect(parseCrypttab(text)).toEqual([
    {
      line: 2,
      name: 'vda3_crypt',
      source: 'UUID=11111111-2222-4333-8444-555555555555',
      keyFile: null,
      options: ['luks', 'discard'],
      kind: 'luks',
    },
    {
      line: 4,
      name: 'home',
      source: 'PARTUUID=6bdd9a7c-02',
      keyFile: '/etc/keys/home.key',
      options: ['luks', 'header=/boot/home.hdr'],
      kind: 'luks',
    },
    {
      line: 5,
      name: 'data',
      source: '/dev/disk/by-label/my disk',
      keyFile: null,
      options: [],
      kind: 'luks',
    },
    {
      line: 6,
      name: 'swap',
      source: '/dev/vda5',
      keyFile: '/dev/urandom',
      options: ['swap', 'cipher=aes-xts-plain64'],
      kind: 'plain',
    },
  ]);
});

test('whatever stands in the file, it is read without an error', () => {
  fc.assert(fc.property(fc.string(), (any) => parseCrypttab(any).length >= 0));
});

const uuid = '11111111-2222-4333-8444-555555555555';
const open = makeDevice('/dev/dm-0', {
  kind: 'luks',
  fsType: 'ext4',
  aliases: ['/dev/mapper/rescuekit-7f3a-vdb3'],
});
const container = (children: readonly Device[]) =>
  makeDevice('/dev/vdb', {
    children: [makePartition('/dev/vdb3', 3, { fsType: 'crypto_LUKS', uuid, children })],
  });

const resolve = (spec: string, children: readonly Device[], crypttab: string) => {
  const disk = container(children);
  return resolveSpec(
    { spec, fsType: 'ext4', options: [] },
    { devices: [disk], rootDisk: disk, crypttab: parseCrypttab(crypttab) },
  );
};

test.each([
  [`root UUID=${uuid} none luks`],
  ['root /dev/sda3 none luks'],
  [`root /dev/disk/by-uuid/${uuid} none`],
])('the name of crypttab is the open volume on its device: %s', (line) => {
  expect(resolve('/dev/mapper/root', [open], line)).toMatchObject({ kind: 'found', device: open });
});

test('a volume that is not open says which one it is', () => {
  const found = resolve('/dev/mapper/root', [], `root UUID=${uuid} none luks`);
  expect(found).toMatchObject({ kind: 'missing', reason: expect.stringContaining('/dev/vdb3') });
});

test('a device that is not attached is named as crypttab names it', () => {
  const found = resolve('/dev/mapper/root', [open], 'root UUID=gone none luks');
  expect(found).toMatchObject({ kind: 'missing', reason: expect.stringContaining('UUID gone') });
});

test('plain dm-crypt stays closed, with the reason', () => {
  const found = resolve('/dev/mapper/scratch', [open], 'scratch /dev/vdb3 /dev/urandom tmp');
  expect(found).toMatchObject({ kind: 'missing', reason: expect.stringContaining('no header') });
});

test('a line that leads to itself ends', () => {
  const found = resolve('/dev/mapper/a', [open], 'a /dev/mapper/b none\nb /dev/mapper/a none');
  expect(found.kind).toBe('missing');
});
