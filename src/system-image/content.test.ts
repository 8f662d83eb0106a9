import { expect, test } from 'vitest';
import { makeTree, type TreeEntry } from '../../fixtures/make-tree.ts';
import { hostFiles } from '../host/files.ts';
import { contentKind } from './content.ts';

const there: TreeEntry = { directory: true };
const program: TreeEntry = { program: 'x' };

const kindOf = async (entries: Record<string, TreeEntry>) => {
  await using tree = await makeTree(entries);
  return await contentKind(hostFiles, tree.root);
};

const debian: Record<string, TreeEntry> = {
  'etc/fstab': '',
  'etc/hosts': '',
  'etc/passwd': 'root:x:0:0::/root:/bin/bash\n',
  'etc/os-release': { link: '../usr/lib/os-release' },
  bin: { link: 'usr/bin' },
  'usr/lib/os-release': 'ID=debian',
  'usr/bin/bash': program,
  'usr/sbin/init': program,
  sbin: { link: 'usr/sbin' },
};

const without = (...names: string[]): Record<string, TreeEntry> =>
  Object.fromEntries(
    Object.entries(debian).filter(
      ([path]) => !names.some((name) => path === name || path.startsWith(`${name}/`)),
    ),
  );

test('a system with everything is a root', async () => {
  expect(await kindOf(debian)).toBe('root');
});

test.each([['etc/fstab'], ['bin'], ['etc/os-release', 'usr/lib/os-release'], ['usr/sbin', 'sbin']])(
  'a system whose fault is that %s is gone is still a root',
  async (...names) => {
    expect(await kindOf(without(...names))).toBe('root');
  },
);

test('a root whose /usr is another partition is a root', async () => {
  expect(
    await kindOf({
      'etc/fstab': '',
      'etc/os-release': { link: '../usr/lib/os-release' },
      usr: there,
      bin: { link: 'usr/bin' },
    }),
  ).toBe('root');
});

test('NixOS, whose files are links into its store, is a root', async () => {
  expect(
    await kindOf({
      'bin/sh': { link: '/nix/store/x/bin/sh' },
      'etc/fstab': { link: '/etc/static/fstab' },
      'etc/os-release': { link: '/etc/static/os-release' },
      'etc/static': { link: '/nix/store/y/etc' },
    }),
  ).toBe('root');
});

test('a tiny busybox tree and the tree of a rescue image are roots', async () => {
  expect(
    await kindOf({ 'bin/busybox': program, 'sbin/init': program, 'etc/passwd': 'root:x:0:0' }),
  ).toBe('root');
  expect(
    await kindOf({ 'bin/bash': program, init: program, 'etc/hosts': '', 'etc/passwd': 'r' }),
  ).toBe('root');
});

test('an os-release alone makes no root: a /usr partition has one too', async () => {
  expect(
    await kindOf({ 'bin/ls': program, 'lib/os-release': 'ID=debian', share: there, sbin: there }),
  ).toBe('usr');
  expect(await kindOf({ 'etc/os-release': 'ID=debian' })).toBe('unknown');
});

test('/var, /boot and the EFI system partition are known by their contents', async () => {
  expect(await kindOf({ lib: there, log: there, cache: there, tmp: there })).toBe('var');
  expect(await kindOf({ 'vmlinuz-6.1': 'k', 'grub/grub.cfg': 'x', efi: there })).toBe('boot');
  expect(await kindOf({ 'EFI/BOOT/BOOTX64.EFI': 'x' })).toBe('esp');
  expect(await kindOf({ 'efi/debian/grub.cfg': 'x' })).toBe('esp');
});

test('/home is known by what people have in it', async () => {
  expect(await kindOf({ 'anna/.bashrc': 'x', 'lost+found': there })).toBe('home');
  expect(await kindOf({ 'backup/2024/file': 'x' })).toBe('unknown');
});

test('an empty file system, a data disk and hostile links are nothing known', async () => {
  expect(await kindOf({})).toBe('unknown');
  expect(await kindOf({ 'etc/motd': 'x' })).toBe('unknown');
  expect(
    await kindOf({ etc: { link: '../../../../../../etc' }, bin: { link: '/../../../bin' } }),
  ).toBe('unknown');
});
