import { posix } from 'node:path';
import { normalTarget, optionValue, parseFstab } from './fstab.ts';
import type { SystemFiles } from './system-files.ts';

/** Where a file system with kernels can be mounted; the system's root when it has no own one. */
const mountPlaces = ['/boot', '/efi', '/boot/efi', ''] as const;

/** GRUB's `($root)` or `(hd0,gpt2)` before a path says where to look and is no part of it. */
export const withoutDevice = (path: string): string => path.replace(/^\([^)]*\)/, '');

/** A subvolume of btrfs and where fstab mounts it. */
type Subvolume = { readonly name: string; readonly target: string };

const subvolumesOf = async (files: SystemFiles): Promise<readonly Subvolume[]> =>
  parseFstab((await files.read('/etc/fstab')) ?? '').entries.flatMap(
    ({ fsType, options, target }) => {
      const name = optionValue(options, 'subvol');
      return fsType !== 'btrfs' || name === null || !target.startsWith('/')
        ? []
        : [{ name: posix.join('/', name), target: normalTarget(target) }];
    },
  );

/**
 * Paths of the system that a path of a boot loader's entry can be: the entry's starts at the top of
 * a file system, which is mounted somewhere, and on btrfs has the subvolume in front.
 */
const candidates = (absolute: string, first: string): readonly string[] => {
  const below = [first, ...mountPlaces].map((place) => posix.join('/', place, absolute));
  const inside = absolute.lastIndexOf('/boot/');
  return [
    ...(absolute.startsWith('/boot/') ? [absolute] : []),
    ...below,
    ...(inside > 0 ? [absolute.slice(inside)] : []),
  ];
};

/** GRUB sees a btrfs from its top: `/@boot/vmlinuz` is /boot/vmlinuz where @boot is mounted there. */
const inSubvolumes = (absolute: string, subvolumes: readonly Subvolume[]): readonly string[] =>
  subvolumes.flatMap(({ name, target }) =>
    absolute.startsWith(`${name}/`) ? [posix.join(target, absolute.slice(name.length))] : [],
  );

/** The first that is a file. What is empty counts: that it is empty is another fault. */
const firstFile = async (files: SystemFiles, all: readonly string[]): Promise<string | null> => {
  const places = [...new Set(all)];
  const there = await Promise.all(
    places.map(async (place) => (await files.status(place))?.kind === 'file'),
  );
  return places.find((_, index) => there[index] === true) ?? null;
};

/**
 * The file of the system that an entry names, or null.
 *
 * @param first where the partition with the entry itself is mounted.
 */
export const locateEntryFile = async (
  files: SystemFiles,
  path: string,
  first: string,
): Promise<string | null> => {
  const absolute = posix.join('/', withoutDevice(path));
  return (
    (await firstFile(files, candidates(absolute, first))) ??
    firstFile(files, inSubvolumes(absolute, await subvolumesOf(files)))
  );
};
