import type { Files } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import { type Mount, mountHolding, readMounts, unescapeOctal } from '../host/mount-table.ts';
import { majorMinorOf } from './device-number.ts';

/** What the host does with a block device, from the kernel's tables and never from labels. */
export type DeviceUse =
  | { readonly kind: 'mount'; readonly path: string; readonly fsType: string }
  | { readonly kind: 'swap' };

export type DeviceUses = {
  /** By `major:minor`. */
  readonly byDevice: ReadonlyMap<string, readonly DeviceUse[]>;
  /** ZFS mounts name a pool and no device; its members are told by their signature alone. */
  readonly zfsMounted: boolean;
};

export type Swap = { readonly path: string; readonly isFile: boolean };

/** Parses /proc/swaps (proc_swaps(5)); the first line is the heading. */
export const parseSwaps = (text: string): readonly Swap[] =>
  text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [path, type] = line.trim().split(/\s+/);
      if (path === undefined || path === '') return [];
      return [{ path: unescapeOctal(path).replace(/ \(deleted\)$/, ''), isFile: type === 'file' }];
    });

/**
 * Mounts as this process and as PID 1 see them: rescuekit may run in a mount namespace of its own,
 * and the host's mounts are protected all the same.
 */
const allMounts = async (files: Files): Promise<readonly Mount[]> => {
  const [own, first] = await Promise.all([
    readMounts(files),
    // Not readable without root (EACCES) or under hidepid.
    readMounts(files, 1).catch(() => []),
  ]);
  const key = (mount: Mount) => `${mount.majorMinor} ${mount.path}`;
  const known = new Set(own.map(key));
  return [...own, ...first.filter((mount) => !known.has(key(mount)))];
};

const nodeNumber = async (files: Files, path: string): Promise<string | null> => {
  if (!path.startsWith('/dev/')) return null;
  const status = await files.statusFollowed(path);
  return status?.kind === 'block' ? majorMinorOf(status.rdev) : null;
};

const members = async (files: Files, fsid: string): Promise<readonly string[]> => {
  const names = (await files.list(`/sys/fs/btrfs/${fsid}/devices`)) ?? [];
  const numbers = await Promise.all(
    names.map((name) => files.readText(`/sys/class/block/${name}/dev`)),
  );
  return numbers.flatMap((number) => number?.trim() ?? []);
};

/** The devices of each mounted btrfs, one list per file system. */
const btrfsMembers = async (files: Files): Promise<readonly (readonly string[])[]> => {
  const fsids = ((await files.list('/sys/fs/btrfs')) ?? []).filter((name) => name.includes('-'));
  return Promise.all(fsids.map((fsid) => members(files, fsid)));
};

/** The directories that an overlay is made of (`lowerdir=/a:/b,upperdir=/c`). */
const overlayDirectories = (mount: Mount): readonly string[] =>
  mount.superOptions.flatMap((option) => {
    const [, paths] = /^(?:lowerdir\+?|upperdir|datadir\+)=(.*)$/.exec(option) ?? [];
    return paths === undefined ? [] : unescapeOctal(paths).split(':');
  });

type Resolver = (mount: Mount) => Promise<readonly string[]>;

const resolver = (files: Files, mounts: readonly Mount[]): Resolver => {
  // The directories of an overlay at / are those of the mounts that it covers.
  const plain = mounts.filter((mount) => mount.fsType !== 'overlay');
  let btrfs: Promise<readonly (readonly string[])[]> | undefined;
  const ofBtrfs = async (mount: Mount): Promise<readonly string[]> => {
    btrfs ??= btrfsMembers(files);
    const [groups, source] = await Promise.all([btrfs, nodeNumber(files, mount.source)]);
    if (source === null) {
      // `/dev/root`, or a node that is gone: it is one of the mounted ones, so none is free.
      return groups.flat();
    }
    return groups.find((group) => group.includes(source)) ?? [source];
  };
  const resolve: Resolver = async (mount) => {
    if (mount.fsType === 'btrfs') return ofBtrfs(mount);
    if (!mount.majorMinor.startsWith('0:')) return [mount.majorMinor];
    if (mount.fsType === 'overlay') {
      const below = overlayDirectories(mount).flatMap((path) => mountHolding(plain, path) ?? []);
      return (await Promise.all(below.map(resolve))).flat();
    }
    const number = await nodeNumber(files, mount.source);
    return number === null ? [] : [number];
  };
  return resolve;
};

const swapUses = async (
  files: Files,
  mounts: readonly Mount[],
  resolve: Resolver,
): Promise<readonly string[]> => {
  const swaps = parseSwaps((await files.readText('/proc/swaps')) ?? '');
  const numbers = swaps.map(async ({ path, isFile }) => {
    if (!isFile) return [(await nodeNumber(files, path)) ?? []].flat();
    const mount = mountHolding(mounts, path);
    return mount === null ? [] : resolve(mount);
  });
  return (await Promise.all(numbers)).flat();
};

/** Which block devices the host has mounted or swaps to, in the order of the kernel's tables. */
export const readUses = async (host: Pick<Host, 'files'>): Promise<DeviceUses> => {
  const { files } = host;
  const mounts = await allMounts(files);
  const resolve = resolver(files, mounts);
  const byDevice = new Map<string, DeviceUse[]>();
  const add = (number: string, use: DeviceUse) => {
    const uses = byDevice.get(number) ?? [];
    byDevice.set(number, [...uses, use]);
  };
  const resolved = await Promise.all(mounts.map(resolve));
  for (const [index, mount] of mounts.entries()) {
    const use = { kind: 'mount', path: mount.path, fsType: mount.fsType } as const;
    for (const number of new Set(resolved[index])) add(number, use);
  }
  for (const number of await swapUses(files, mounts, resolve)) add(number, { kind: 'swap' });
  return { byDevice, zfsMounted: mounts.some((mount) => mount.fsType === 'zfs') };
};
