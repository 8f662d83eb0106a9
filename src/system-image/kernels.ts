import type { Files } from '../host/files.ts';
import { bootEntryKernels } from './boot-entries.ts';
import {
  firstInside,
  isDirectoryInside,
  isFilledInside,
  listInside,
  locateEntry,
  readInside,
} from './inside.ts';
import type { Kernel } from './system-facts.ts';
import { compareVersions } from './version-compare.ts';

const imageName = /^(?:vmlinuz|vmlinux|bzImage|zImage|Image|kernel|linux)-(.+)$/;

/** Names of an only kernel: of small machines with U-Boot, and of kernels that were built by hand. */
const bareName = /^(?:vmlinuz|vmlinux|(?:b?z)?Image|kernel\d*\.img)$/;

/** Names of the initramfs of such a kernel, the first that is there. */
const bareInitramfs = [
  ...['initramfs.img', 'initramfs-linux.img', 'initramfs', 'initrd.img', 'initrd', 'uInitrd'],
].map((name) => `/boot/${name}`);

// Beside the images lie checksums, signatures, debug copies and what an upgrade keeps.
const noImage = /\.(?:hmac|sig|old|bak|dpkg-\w+|rpm\w+|config|map|txt|efi\.signed)$/;

/** Names that Debian, Fedora, SUSE, Arch, Alpine and Gentoo give the initramfs of a kernel. */
const initramfsNames = (version: string): readonly string[] => [
  `initrd.img-${version}`,
  `initramfs-${version}.img`,
  `initrd-${version}`,
  `initrd-${version}.img`,
  `initramfs-${version}`,
  `initramfs-genkernel-${version}`,
];

/** The flavour names of Arch and Alpine (`linux`, `lts`) with the version that they stand for. */
const flavourVersions = async (
  files: Files,
  root: string,
  modules: readonly string[],
): Promise<ReadonlyMap<string, string>> => {
  const oldestFirst = [...modules].sort(compareVersions);
  const versions = new Map<string, string>();
  for (const version of oldestFirst) {
    // Alpine: /lib/modules/6.6.31-0-lts belongs to /boot/vmlinuz-lts.
    const flavour = /^\d.*-([a-z][a-z0-9]*)$/.exec(version)?.[1];
    if (flavour !== undefined) versions.set(flavour, version);
  }
  // Arch: the package's name is in a file beside the modules, and is what follows `vmlinuz-`.
  const bases = await Promise.all(
    oldestFirst.map((version) =>
      readInside(files, root, `/usr/lib/modules/${version}/pkgbase`, 256),
    ),
  );
  for (const [index, version] of oldestFirst.entries()) {
    const base = bases[index]?.trim() ?? '';
    if (base !== '') versions.set(base, version);
  }
  return versions;
};

/** Versions that have a modules directory, `/lib/modules` and `/usr/lib/modules` together. */
const moduleVersions = async (files: Files, root: string): Promise<readonly string[]> => {
  const places = ['/usr/lib/modules', '/lib/modules'];
  const lists = await Promise.all(places.map((place) => listInside(files, root, place)));
  const names = [...new Set(lists.flatMap((list) => list ?? []))].filter((name) =>
    /^\d/.test(name),
  );
  const there = await Promise.all(
    names.map((name) =>
      firstInside(places, (place) => isDirectoryInside(files, root, `${place}/${name}`)),
    ),
  );
  return names.filter((_, index) => there[index] !== null);
};

const plainKernel = async (
  files: Files,
  root: string,
  name: string,
): Promise<Omit<Kernel, 'modules'> | null> => {
  const suffix = imageName.exec(name)?.[1];
  if (suffix === undefined || noImage.test(name)) return null;
  const image = `/boot/${name}`;
  // An image that a power cut left empty boots nothing.
  if (!(await isFilledInside(files, root, image))) return null;
  const initramfs = await firstInside(
    initramfsNames(suffix).map((candidate) => `/boot/${candidate}`),
    (path) => isFilledInside(files, root, path),
  );
  return { version: suffix, image, initramfs };
};

// SUSE keeps an uncompressed copy for debugging beside each image.
const withoutDebugCopies = (names: readonly string[]): readonly string[] =>
  names.filter((name) => {
    const twin = /^vmlinux-(.+?)(?:\.(?:gz|xz|zst))?$/.exec(name)?.[1];
    return twin === undefined || !names.includes(`vmlinuz-${twin}`);
  });

/** A link with such a name leads to one of the kernels with a version, or to one that is gone. */
const bareKernel = async (
  files: Files,
  root: string,
  name: string,
  modules: readonly string[],
): Promise<Omit<Kernel, 'modules'> | null> => {
  const image = `/boot/${name}`;
  const status = (await locateEntry(files, root, image))?.status;
  if (!bareName.test(name) || status?.kind !== 'file' || status.sizeBytes === 0) return null;
  const initramfs = await firstInside(bareInitramfs, (path) => isFilledInside(files, root, path));
  const [only] = modules;
  return { version: modules.length === 1 && only !== undefined ? only : name, image, initramfs };
};

const plainKernels = async (files: Files, root: string, modules: readonly string[]) => {
  const names = withoutDebugCopies((await listInside(files, root, '/boot')) ?? []);
  const found = await Promise.all(names.map((name) => plainKernel(files, root, name)));
  const named = found.filter((kernel) => kernel !== null);
  if (named.length > 0) return named;
  const bare = await Promise.all(names.map((name) => bareKernel(files, root, name, modules)));
  return bare.filter((kernel) => kernel !== null);
};

// Fedora's rescue copy is `0-rescue-MACHINE-ID`: it starts with a digit and is no version.
const rank = (version: string): number =>
  version.startsWith('0-rescue') ? 0 : /^\d/.test(version) ? 2 : 1;

const newestFirst = (one: Kernel, other: Kernel): number =>
  rank(other.version) - rank(one.version) ||
  compareVersions(other.version, one.version) ||
  (one.image < other.image ? -1 : 1);

/**
 * Kernels under /boot and on the EFI system partition with their initramfs, newest first. An empty
 * image is no kernel, an empty initramfs counts as none. When a separate /boot is not mounted below
 * the root the list is empty.
 */
export const findKernels = async (files: Files, root: string): Promise<readonly Kernel[]> => {
  const modules = await moduleVersions(files, root);
  const [plain, flavours, entries] = await Promise.all([
    plainKernels(files, root, modules),
    flavourVersions(files, root, modules),
    bootEntryKernels(files, root),
  ]);
  const known = new Map<string, Kernel>();
  for (const { version: suffix, image, initramfs } of [...plain, ...entries]) {
    const before = known.get(image);
    const version = before?.version ?? flavours.get(suffix) ?? suffix;
    known.set(image, {
      version,
      image,
      initramfs: before?.initramfs ?? initramfs,
      modules: modules.includes(version),
    });
  }
  return [...known.values()].sort(newestFirst);
};
