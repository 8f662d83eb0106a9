import { expect, test } from 'vitest';
import { makeTree, type TreeEntry } from '../../fixtures/make-tree.ts';
import { hostFiles } from '../host/files.ts';
import { parseBootEntry } from './boot-entries.ts';
import { findKernels } from './kernels.ts';

const kernelsOf = async (entries: Record<string, TreeEntry>) => {
  await using tree = await makeTree(entries);
  return await findKernels(hostFiles, tree.root);
};

const there: TreeEntry = { directory: true };

test('Debian: newest first, each with its own initramfs and modules', async () => {
  const kernels = await kernelsOf({
    'boot/vmlinuz-6.1.0-9-amd64': 'k',
    'boot/initrd.img-6.1.0-9-amd64': 'i',
    'boot/vmlinuz-6.1.0-20-amd64': 'k',
    'boot/initrd.img-6.1.0-20-amd64': 'i',
    'boot/config-6.1.0-20-amd64': 'c',
    'boot/System.map-6.1.0-20-amd64': 'm',
    'usr/lib/modules/6.1.0-20-amd64': there,
    lib: { link: 'usr/lib' },
    vmlinuz: { link: 'boot/vmlinuz-6.1.0-20-amd64' },
  });
  expect(kernels).toEqual([
    {
      version: '6.1.0-20-amd64',
      image: '/boot/vmlinuz-6.1.0-20-amd64',
      initramfs: '/boot/initrd.img-6.1.0-20-amd64',
      modules: true,
    },
    {
      version: '6.1.0-9-amd64',
      image: '/boot/vmlinuz-6.1.0-9-amd64',
      initramfs: '/boot/initrd.img-6.1.0-9-amd64',
      modules: false,
    },
  ]);
});

test('an empty initramfs counts as none, and an empty image as no kernel', async () => {
  const kernels = await kernelsOf({
    'boot/vmlinuz-6.1': 'k',
    'boot/initrd.img-6.1': '',
    'boot/vmlinuz-6.2': '',
    'boot/initrd.img-6.2': 'i',
  });
  expect(kernels).toMatchObject([{ version: '6.1', initramfs: null }]);
});

test('Fedora: boot entries and images under /boot are one kernel, the rescue copy is last', async () => {
  const kernels = await kernelsOf({
    'boot/vmlinuz-6.8.5-301.fc40.x86_64': 'k',
    'boot/.vmlinuz-6.8.5-301.fc40.x86_64.hmac': 'h',
    'boot/initramfs-6.8.5-301.fc40.x86_64.img': 'i',
    'boot/vmlinuz-0-rescue-0123456789abcdef0123456789abcdef': 'k',
    'boot/loader/entries/0123-6.8.5.conf':
      'title Fedora Linux\nversion 6.8.5-301.fc40.x86_64\nlinux /vmlinuz-6.8.5-301.fc40.x86_64\ninitrd /initramfs-6.8.5-301.fc40.x86_64.img $tuned_initrd\noptions root=UUID=x $tuned_params\n',
    'lib/modules/6.8.5-301.fc40.x86_64': there,
  });
  expect(kernels.map((kernel) => kernel.image)).toEqual([
    '/boot/vmlinuz-6.8.5-301.fc40.x86_64',
    '/boot/vmlinuz-0-rescue-0123456789abcdef0123456789abcdef',
  ]);
  expect(kernels[0]).toMatchObject({ modules: true });
});

test('openSUSE: a link into the modules directory is an image, its debug copy is not', async () => {
  const kernels = await kernelsOf({
    'usr/lib/modules/6.4.0-150600.23-default/vmlinuz': 'k',
    'boot/vmlinuz-6.4.0-150600.23-default': {
      link: '../usr/lib/modules/6.4.0-150600.23-default/vmlinuz',
    },
    'boot/vmlinux-6.4.0-150600.23-default.gz': 'k',
    'boot/initrd-6.4.0-150600.23-default': 'i',
    'boot/vmlinuz': { link: 'vmlinuz-6.4.0-150600.23-default' },
  });
  expect(kernels).toMatchObject([
    { initramfs: '/boot/initrd-6.4.0-150600.23-default', modules: true },
  ]);
});

test('SUSE on ARM: Image- is the kernel', async () => {
  expect(await kernelsOf({ 'boot/Image-6.4.0-default': 'k' })).toMatchObject([
    { version: '6.4.0-default', initramfs: null },
  ]);
});

test('Arch: the version comes from the modules whose pkgbase names the image', async () => {
  const kernels = await kernelsOf({
    'boot/vmlinuz-linux': 'k',
    'boot/initramfs-linux.img': 'i',
    'boot/initramfs-linux-fallback.img': 'i',
    'boot/vmlinuz-linux-lts': 'k',
    'usr/lib/modules/6.10.2-arch1-1/pkgbase': 'linux\n',
    'usr/lib/modules/6.6.43-1-lts/pkgbase': 'linux-lts\n',
  });
  expect(kernels).toMatchObject([
    { version: '6.10.2-arch1-1', initramfs: '/boot/initramfs-linux.img', modules: true },
    { version: '6.6.43-1-lts', image: '/boot/vmlinuz-linux-lts', initramfs: null },
  ]);
});

test('Alpine: the flavour stands for the version with its modules', async () => {
  const kernels = await kernelsOf({
    'boot/vmlinuz-lts': 'k',
    'boot/initramfs-lts': 'i',
    'lib/modules/6.6.31-0-lts': there,
  });
  expect(kernels).toMatchObject([
    { version: '6.6.31-0-lts', initramfs: '/boot/initramfs-lts', modules: true },
  ]);
});

test('systemd-boot: kernel-install layout, unified images and entries on the EFI partition', async () => {
  const machine = '0123456789abcdef0123456789abcdef';
  const kernels = await kernelsOf({
    [`efi/${machine}/6.9.1-1/linux`]: 'k',
    [`efi/${machine}/6.9.1-1/initrd`]: 'i',
    [`efi/loader/entries/${machine}-6.9.1-1.conf`]: `version 6.9.1-1\nlinux /${machine}/6.9.1-1/linux\ninitrd /intel-ucode.img\ninitrd /${machine}/6.9.1-1/initrd\n`,
    [`efi/EFI/Linux/${machine}-6.9.2-1+3-0.efi`]: 'u',
    'usr/lib/modules/6.9.2-1': there,
  });
  expect(kernels).toEqual([
    {
      version: '6.9.2-1',
      image: `/efi/EFI/Linux/${machine}-6.9.2-1+3-0.efi`,
      initramfs: `/efi/EFI/Linux/${machine}-6.9.2-1+3-0.efi`,
      modules: true,
    },
    {
      version: '6.9.1-1',
      image: `/efi/${machine}/6.9.1-1/linux`,
      initramfs: `/efi/${machine}/6.9.1-1/initrd`,
      modules: false,
    },
  ]);
});

test('SUSE with systemd-boot: the number of the snapshot is no part of the version', async () => {
  const version = '6.12.0-1-default';
  const place = `opensuse-tumbleweed/${version}`;
  const kernels = await kernelsOf({
    [`boot/efi/${place}/linux-0a1b`]: 'k',
    [`boot/efi/${place}/initrd-2c3d`]: 'i',
    [`boot/efi/loader/entries/system-opensuse-tumbleweed-${version}-5.conf`]: `title openSUSE Tumbleweed\nversion 5@${version}\nsort-key opensuse-tumbleweed\noptions root=UUID=a rootflags=subvol=@/.snapshots/5/snapshot\nlinux /${place}/linux-0a1b\ninitrd /${place}/initrd-2c3d\n`,
    [`usr/lib/modules/${version}`]: there,
  });
  expect(kernels).toMatchObject([
    { version, initramfs: `/boot/efi/${place}/initrd-2c3d`, modules: true },
  ]);
});

test('an only kernel without a version in its name is one, a link is none', async () => {
  const image = { 'boot/Image': 'k', 'boot/initramfs-linux.img': 'i' };
  expect(await kernelsOf({ ...image, 'usr/lib/modules/6.2.10-1-aarch64-ARCH': there })).toEqual([
    {
      version: '6.2.10-1-aarch64-ARCH',
      image: '/boot/Image',
      initramfs: '/boot/initramfs-linux.img',
      modules: true,
    },
  ]);
  expect(await kernelsOf({ 'boot/bzImage': 'k' })).toMatchObject([{ version: 'bzImage' }]);
  expect(await kernelsOf({ 'boot/kernel8.img': 'k' })).toHaveLength(1);
  expect(await kernelsOf({ ...image, 'boot/vmlinuz-6.1': 'k' })).toMatchObject([
    { image: '/boot/vmlinuz-6.1' },
  ]);
  expect(await kernelsOf({ 'boot/vmlinuz': { link: 'k' }, 'boot/k': 'k' })).toEqual([]);
  expect(await kernelsOf({ 'boot/vmlinuz': '' })).toEqual([]);
});

test('without /boot there are no kernels, and a hostile /boot leads nowhere', async () => {
  expect(await kernelsOf({ boot: there, 'usr/lib/modules/6.1/vmlinuz': 'k' })).toEqual([]);
  expect(await kernelsOf({ boot: { link: '/../../../../../boot' } })).toEqual([]);
  expect(await kernelsOf({ 'boot/vmlinuz-1': { fifo: true } })).toEqual([]);
});

test('an entry keeps its words and drops the variables of GRUB', () => {
  expect(
    parseBootEntry('# c\nversion 6.1\nlinux\t/a b\ninitrd /one $early /two\ninitrd /three\n'),
  ).toMatchObject({ version: '6.1', linux: '/a', initrds: ['/one', '/two', '/three'] });
});
