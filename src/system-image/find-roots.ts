import type { Files } from '../host/files.ts';
import { contentKind } from './content.ts';
import { listInside, locateEntry, statusInside } from './inside.ts';
import { tolerantFiles } from './tolerant-files.ts';

export type FoundRoot = {
  /** Path inside the file system without a leading slash; empty for its own top. */
  readonly path: string;
  readonly kind: 'plain' | 'subvolume' | 'ostree';
  /** A snapshot of snapper or Timeshift: a system of its own only when there is no other. */
  readonly snapshot: boolean;
};

export type FindRootsOptions = {
  /** Path of the btrfs default subvolume: openSUSE runs from what looks like a snapshot. */
  readonly defaultSubvolume?: string;
};

/** Deep enough for `@/.snapshots/1/snapshot` and `timeshift-btrfs/snapshots/DATE/@`. */
const maxDepth = 4;
/** A disk full of directories must not hold up the look: the top levels come first. */
const maxDirectories = 2000;

/** The top of every btrfs subvolume has this inode number (BTRFS_FIRST_FREE_OBJECTID). */
const subvolumeInode = 256;

type Place = {
  readonly path: string;
  readonly depth: number;
  readonly dev: number | null;
  readonly subvolume: boolean;
};

const isSnapshot = (path: string): boolean =>
  /(?:^|\/)(?:\.snapshots\/\d+\/snapshot|timeshift(?:-btrfs)?\/snapshots(?:-[a-z]+)?\/[^/]+\/[^/]+)$/.test(
    path,
  );

const insideSnapshots = (path: string): boolean =>
  /(?:^|\/)(?:\.snapshots|timeshift(?:-btrfs)?)(?:\/|$)/.test(path);

const childrenOf = async (
  files: Files,
  mounted: string,
  place: Place,
): Promise<readonly Place[]> => {
  const names = (await listInside(files, mounted, `/${place.path}`)) ?? [];
  const children = await Promise.all(
    names.map(async (name): Promise<Place | null> => {
      const path = place.path === '' ? name : `${place.path}/${name}`;
      const found = await locateEntry(files, mounted, `/${path}`);
      if (found?.status.kind !== 'directory') return null;
      const { dev, ino } = found.status;
      // On ext4 any directory can have that number, but there it shares its parent's device.
      const subvolume = ino === subvolumeInode && place.dev !== null && dev !== place.dev;
      return { path, depth: place.depth + 1, dev, subvolume };
    }),
  );
  return children.filter((child) => child !== null);
};

/** Of plain directories only the upper ones and the homes of snapshots lead to further roots. */
const worthEntering = (place: Place): boolean =>
  place.depth <= maxDepth && (place.subvolume || place.depth <= 1 || insideSnapshots(place.path));

const ostreeRoots = async (
  files: Files,
  mounted: string,
  top: string,
): Promise<readonly FoundRoot[]> => {
  const deploy = `${top === '' ? '' : `${top}/`}ostree/deploy`;
  const stateRoots = (await listInside(files, mounted, `/${deploy}`)) ?? [];
  const lists = await Promise.all(
    stateRoots.map(async (name) => {
      const directory = `${deploy}/${name}/deploy`;
      const deployments = (await listInside(files, mounted, `/${directory}`)) ?? [];
      return deployments
        .filter((deployment) => /^[0-9a-f]{64}\.\d+$/.test(deployment))
        .map((deployment) => `${directory}/${deployment}`);
    }),
  );
  return lists.flat().map((path) => ({ path, kind: 'ostree', snapshot: false }));
};

const rootsAt = async (
  files: Files,
  mounted: string,
  place: Place,
  options: FindRootsOptions,
): Promise<readonly FoundRoot[]> => {
  const deployments = await ostreeRoots(files, mounted, place.path);
  if (deployments.length > 0) return deployments;
  // A tree made by debootstrap under /srv is a directory like any other, no system of the disk.
  if (place.path !== '' && !place.subvolume && !isSnapshot(place.path)) return [];
  const found = await locateEntry(files, mounted, `/${place.path}`);
  if (found?.status.kind !== 'directory') return [];
  if ((await contentKind(files, found.hostPath)) !== 'root') return [];
  return [
    {
      path: place.path,
      kind: place.path === '' ? 'plain' : 'subvolume',
      snapshot: isSnapshot(place.path) && place.path !== options.defaultSubvolume,
    },
  ];
};

/** Below a root that was found only snapshots are of interest, everything else belongs to it. */
const next = (place: Place, children: readonly Place[], isRoot: boolean): readonly Place[] =>
  children.filter(
    (child) =>
      worthEntering(child) &&
      (!isRoot || child.subvolume || insideSnapshots(child.path)) &&
      !(isSnapshot(place.path) && isRoot),
  );

/**
 * Finds the root file systems inside one mounted file system: its top, btrfs subvolumes (mount the
 * top level, `subvolid=5`), OSTree deployments. Normally that is one with the path `''`. Those that
 * are systems of their own come first, snapshots after them.
 */
export const findRoots = async (
  hostFiles: Files,
  mounted: string,
  options: FindRootsOptions = {},
): Promise<readonly FoundRoot[]> => {
  const { files } = tolerantFiles(hostFiles);
  const roots: FoundRoot[] = [];
  const top = await statusInside(files, mounted, '/');
  let places: readonly Place[] = [{ path: '', depth: 0, dev: top?.dev ?? null, subvolume: false }];
  let visited = 0;
  while (places.length > 0 && visited < maxDirectories) {
    const level = places.slice(0, maxDirectories - visited);
    visited += level.length;
    const steps = await Promise.all(
      level.map(async (place) => {
        const found = await rootsAt(files, mounted, place, options);
        const children = await childrenOf(files, mounted, place);
        return { found, below: next(place, children, found.length > 0) };
      }),
    );
    roots.push(...steps.flatMap((step) => step.found));
    places = steps.flatMap((step) => step.below);
  }
  return roots.sort((one, other) => Number(one.snapshot) - Number(other.snapshot));
};
