import { type Device, flattenDevice, nodeOf } from '../devices/device.ts';
import { type BtrfsSuperblock, readBtrfsSuperblock } from '../filesystems/btrfs-superblock.ts';
import { mapBounded } from '../host/bounded.ts';
import type { Host } from '../host/host.ts';

/** A device of a btrfs with what its superblock says. */
export type BtrfsDevice = BtrfsSuperblock & {
  readonly device: Device;
  /** Node for commands: `/dev/vdb3`, `/dev/mapper/vg0-root`. */
  readonly node: string;
};

const readsAtATime = 4;

const isBtrfs = ({ fsType, path }: Device): boolean => fsType === 'btrfs' && path !== null;

/**
 * The uppermost nodes: the path of a multipath disk, or the device below a stand-in, shows the same
 * superblock as what stands on it.
 */
export const btrfsNodes = (trees: readonly Device[]): readonly Device[] => {
  const found = [...new Set(trees.flatMap(flattenDevice))].filter(isBtrfs);
  const once = [...new Map(found.map((device) => [device.path, device])).values()];
  return once.filter((device) => !device.children.flatMap(flattenDevice).some(isBtrfs));
};

/** Reads the superblock of each btrfs device in the trees. Reads only, protected devices too. */
export const readBtrfsDevices = async (
  host: Host,
  nodes: readonly Device[],
): Promise<readonly BtrfsDevice[]> => {
  const found = await mapBounded(nodes, readsAtATime, async (device) => {
    const node = nodeOf(device);
    if (node === null) return [];
    const superblock = await readBtrfsSuperblock(host.run, node);
    return superblock === null ? [] : [{ ...superblock, device, node }];
  });
  return found.flat();
};

/** The same file system by its UUID: its devices, and copies of them. */
export const byFileSystem = (
  devices: readonly BtrfsDevice[],
): ReadonlyMap<string, readonly BtrfsDevice[]> => Map.groupBy(devices, ({ fsid }) => fsid);

/** Devices of a whole file system, by the member that has seen the most commits. */
export const expectedDevices = (devices: readonly BtrfsDevice[]): number =>
  devices.reduce((newest, one) => (one.generation > newest.generation ? one : newest), {
    generation: -1,
    deviceCount: 0,
  }).deviceCount;

/** What is known of one device of a btrfs, for the tree of all devices. */
export type BtrfsFacts = {
  readonly fsid: string;
  readonly devid: number;
  readonly deviceUuid: string;
  /** Members of its file system that are attached (copies counted once), and that it has. */
  readonly present: number;
  readonly expected: number;
  /** Other attached devices with the very same identity: one is a copy of the other. */
  readonly duplicates: readonly string[];
};

const factsIn = (group: readonly BtrfsDevice[], one: BtrfsDevice): BtrfsFacts => ({
  fsid: one.fsid,
  devid: one.devid,
  deviceUuid: one.deviceUuid,
  present: new Set(group.map(({ devid }) => devid)).size,
  expected: expectedDevices(group),
  duplicates: group
    .filter((other) => other !== one && other.devid === one.devid)
    .map(({ node }) => node),
});

/**
 * Tells of each attached btrfs device to which file system it belongs, and of which others it is a
 * copy; by kernel node (`/dev/vdb3`). Reads the superblocks and nothing else.
 */
export const describeBtrfs = async (
  host: Host,
  trees: readonly Device[],
): Promise<ReadonlyMap<string, BtrfsFacts>> => {
  const groups = byFileSystem(await readBtrfsDevices(host, btrfsNodes(trees)));
  return new Map(
    [...groups.values()].flatMap((group) =>
      group.map((one) => [one.device.path ?? one.node, factsIn(group, one)] as const),
    ),
  );
};
