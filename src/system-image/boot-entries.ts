import { posix } from 'node:path';
import type { Files } from '../host/files.ts';
import { firstInside, isFilledInside, listInside, readInside } from './inside.ts';
import type { Kernel } from './system-facts.ts';

type BootKernel = Omit<Kernel, 'modules'>;

/** Where the partition with boot entries can be mounted (Boot Loader Specification). */
export const bootDirectories = ['/boot', '/efi', '/boot/efi'] as const;

/** The keys of a type #1 entry that tell what is started and in which order entries stand. */
export type LoaderEntry = {
  readonly title: string | null;
  readonly version: string | null;
  readonly machineId: string | null;
  readonly sortKey: string | null;
  readonly linux: string | null;
  readonly initrds: readonly string[];
  readonly options: string;
  /** Variables of GRUB among the options, without their dollar signs. */
  readonly variables: readonly string[];
};

/** Parses a Boot Loader Specification type #1 file. Grub variables such as `$tuned_initrd` go. */
export const parseBootEntry = (text: string): LoaderEntry => {
  const values = new Map<string, string[]>();
  for (const line of text.split(/\r?\n/)) {
    const [, key, value] = /^\s*([a-z-]+)\s+(.*\S)\s*$/.exec(line) ?? [];
    if (key === undefined || value === undefined) continue;
    values.set(key, [...(values.get(key) ?? []), value]);
  }
  const all = (key: string): readonly string[] =>
    (values.get(key) ?? []).flatMap((value) => value.split(/\s+/));
  const words = (key: string): readonly string[] => all(key).filter((word) => word[0] !== '$');
  return {
    title: values.get('title')?.[0] ?? null,
    version: values.get('version')?.[0] ?? null,
    machineId: values.get('machine-id')?.[0] ?? null,
    sortKey: values.get('sort-key')?.[0] ?? null,
    options: words('options').join(' '),
    variables: all('options').flatMap((word) => /^\$\{?(\w+)\}?$/.exec(word)?.[1] ?? []),
    linux: words('linux')[0] ?? words('uki')[0] ?? words('efi')[0] ?? null,
    initrds: words('initrd'),
  };
};

/** sdbootutil of SUSE puts the number of the snapshot before it: `5@6.12.0-1-default`. */
const withoutSnapshot = (version: string): string => version.replace(/^\d+@(?=.)/, '');

const versionOfImage = (path: string): string => {
  const names = path.split('/').filter((part) => part !== '');
  const last = names.at(-1) ?? '';
  // kernel-install writes MACHINE-ID/VERSION/linux.
  if (last === 'linux' || last === 'vmlinuz') return names.at(-2) ?? last;
  return last.replace(/^(?:vmlinuz|vmlinux|Image|linux)-/, '');
};

/**
 * A path of an entry starts at the partition's own root, that is at the place where it is mounted;
 * without a partition of its own it starts at the system's root.
 */
const placeOf = async (
  files: Files,
  root: string,
  directory: string,
  path: string,
): Promise<string | null> => {
  const absolute = posix.join('/', path);
  const below = posix.join(directory, path);
  const places = absolute.startsWith(`${directory}/`) ? [absolute, below] : [below, absolute];
  return firstInside(places, (candidate) => isFilledInside(files, root, candidate));
};

const kernelOfEntry = async (
  files: Files,
  root: string,
  directory: string,
  name: string,
): Promise<BootKernel | null> => {
  const text = await readInside(files, root, `${directory}/loader/entries/${name}`, 64 * 1024);
  const entry = text === null ? null : parseBootEntry(text);
  if (entry === null || entry.linux === null) return null;
  const image = await placeOf(files, root, directory, entry.linux);
  if (image === null) return null;
  const initrds = await Promise.all(
    entry.initrds.map((path) => placeOf(files, root, directory, path)),
  );
  // Microcode comes first; the initramfs is the last one.
  const initramfs = initrds.findLast((path) => path !== null && !/ucode/.test(path)) ?? null;
  const isUnified = /\.efi$/i.test(image);
  const version =
    entry.version === null
      ? isUnified
        ? versionOfUki(image)
        : versionOfImage(entry.linux)
      : withoutSnapshot(entry.version);
  return { version, image, initramfs: initramfs ?? (isUnified ? image : null) };
};

const installedKernels = async (files: Files, root: string, directory: string) => {
  // kernel-install names the directory after the machine or, on request, after the distribution.
  const machines = ((await listInside(files, root, directory)) ?? []).filter((name) =>
    /^[0-9a-f]{32}$|^Default$/.test(name),
  );
  const versions = await Promise.all(
    machines.map(async (machine) =>
      ((await listInside(files, root, `${directory}/${machine}`)) ?? []).map(
        (version) => `${directory}/${machine}/${version}`,
      ),
    ),
  );
  const kernels = versions.flat().map(async (path): Promise<BootKernel | null> => {
    const filled = (candidate: string) => isFilledInside(files, root, candidate);
    const version = path.split('/').at(-1) ?? '';
    // Debian's plugin keeps the name that the file has in /boot.
    const initrds = ['initrd', 'initramfs.img', 'initrd.img', `initrd.img-${version}`];
    const [image, initramfs] = await Promise.all([
      firstInside([`${path}/linux`, `${path}/vmlinuz`], filled),
      firstInside(
        initrds.map((name) => `${path}/${name}`),
        filled,
      ),
    ]);
    return image === null ? null : { version, image, initramfs };
  });
  return Promise.all(kernels);
};

/** `MACHINE-ID-6.8.9+3-1.efi`: the boot counter after the plus is no part of the version. */
const versionOfUki = (path: string): string =>
  (path.split('/').at(-1) ?? '')
    .replace(/\.efi$/i, '')
    .replace(/\+\d+(?:-\d+)?$/, '')
    .replace(/^[0-9a-f]{32}-/, '')
    .replace(/^(?:arch|debian|fedora|ubuntu|opensuse)-(?=.)/, '');

const unifiedImages = async (files: Files, root: string, directory: string) => {
  const place = `${directory}/EFI/Linux`;
  const names = ((await listInside(files, root, place)) ?? []).filter((name) =>
    /\.efi$/i.test(name),
  );
  return Promise.all(
    names.map(async (name): Promise<BootKernel | null> => {
      const image = `${place}/${name}`;
      // The initramfs is a section of the image itself.
      return (await isFilledInside(files, root, image))
        ? { version: versionOfUki(name), image, initramfs: image }
        : null;
    }),
  );
};

/**
 * Kernels that are not `/boot/vmlinuz-VERSION`: named by boot loader entries, laid down by
 * kernel-install, and unified kernel images (their `initramfs` is the image itself).
 */
export const bootEntryKernels = async (
  files: Files,
  root: string,
): Promise<readonly BootKernel[]> => {
  const found = await Promise.all(
    bootDirectories.map(async (directory) => {
      const names = (await listInside(files, root, `${directory}/loader/entries`)) ?? [];
      const entries = names.filter((name) => name.endsWith('.conf'));
      return Promise.all([
        Promise.all(entries.map((name) => kernelOfEntry(files, root, directory, name))),
        installedKernels(files, root, directory),
        unifiedImages(files, root, directory),
      ]);
    }),
  );
  return found.flat(2).filter((kernel) => kernel !== null);
};
