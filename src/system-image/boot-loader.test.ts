import { expect, test } from 'vitest';
import { makeTree, type TreeEntry } from '../../fixtures/make-tree.ts';
import { hostFiles } from '../host/files.ts';
import { findBootLoaders } from './boot-loader.ts';

const loadersOf = async (entries: Record<string, TreeEntry>) => {
  await using tree = await makeTree(entries);
  return await findBootLoaders(hostFiles, tree.root);
};

test('GRUB reads its configuration in /boot, and the stub on the EFI partition only leads there', async () => {
  const stub = { 'boot/efi/EFI/debian/grub.cfg': 'search' };
  expect(await loadersOf({ ...stub, 'boot/grub/grub.cfg': 'x' })).toEqual([
    { name: 'grub', config: '/boot/grub/grub.cfg' },
  ]);
  expect(await loadersOf({ 'boot/grub2/grub.cfg': 'x' })).toEqual([
    { name: 'grub', config: '/boot/grub2/grub.cfg' },
  ]);
  expect(await loadersOf(stub)).toEqual([
    { name: 'grub', config: '/boot/efi/EFI/debian/grub.cfg' },
  ]);
});

test('GRUB that lost its configuration, or has an empty one, is there without it', async () => {
  const modules: TreeEntry = { directory: true };
  expect(await loadersOf({ 'boot/grub/i386-pc': modules, 'boot/grub/grub.cfg': '' })).toEqual([
    { name: 'grub', config: null },
  ]);
});

test('systemd-boot is found whatever the letter case on FAT', async () => {
  expect(
    await loadersOf({
      'efi/efi/SYSTEMD/SYSTEMD-BOOTX64.EFI': 'x',
      'efi/loader/loader.conf': 'timeout 3',
    }),
  ).toEqual([{ name: 'systemd-boot', config: '/efi/loader/loader.conf' }]);
});

test('extlinux and U-Boot are found by what they read', async () => {
  expect(await loadersOf({ 'boot/extlinux/extlinux.conf': 'x', 'boot/boot.scr': 'x' })).toEqual([
    { name: 'extlinux', config: '/boot/extlinux/extlinux.conf' },
    { name: 'u-boot', config: '/boot/boot.scr' },
  ]);
});

test('a tree without a boot loader has none', async () => {
  expect(await loadersOf({ 'boot/grub': { directory: true } })).toEqual([]);
});
