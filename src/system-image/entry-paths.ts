import { posix } from 'node:path';
import type { SystemFiles } from './system-files.ts';

/** Where a file system with kernels can be mounted; the system's root when it has no own one. */
const mountPlaces = ['/boot', '/efi', '/boot/efi', ''] as const;

/** GRUB's `($root)` or `(hd0,gpt2)` before a path says where to look and is no part of it. */
export const withoutDevice = (path: string): string => path.replace(/^\([^)]*\)/, '');

/**
 * Paths of the system that a path of a boot loader's entry can be: the entry's starts at the top of
 * a file system, which is mounted somewhere, and on btrfs has the subvolume in front.
 */
const candidates = (path: string, first: string): readonly string[] => {
  const absolute = posix.join('/', withoutDevice(path));
  const below = [first, ...mountPlaces].map((place) => posix.join('/', place, absolute));
  const inside = absolute.lastIndexOf('/boot/');
  return [
    ...(absolute.startsWith('/boot/') ? [absolute] : []),
    ...below,
    ...(inside > 0 ? [absolute.slice(inside)] : []),
  ];
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
  const places = [...new Set(candidates(path, first))];
  // What is empty counts as there: that it is empty is another fault than that it is missing.
  const there = await Promise.all(
    places.map(async (place) => (await files.status(place))?.kind === 'file'),
  );
  return places.find((_, index) => there[index] === true) ?? null;
};
