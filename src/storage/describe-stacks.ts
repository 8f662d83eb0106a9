import { probeDevices } from '../devices/blkid.ts';
import { type Device, flattenDevice, type Stack } from '../devices/device.ts';
import { findDuplicates } from '../devices/duplicates.ts';
import type { Host } from '../host/host.ts';
import { RescueError } from '../host/rescue-error.ts';
import { describeBtrfs } from './btrfs-devices.ts';
import { describeContainers } from './luks/describe-containers.ts';
import { describeGroups } from './lvm/describe-groups.ts';
import { describeArrays } from './md/describe-arrays.ts';

type Found = ReadonlyMap<string, Stack>;

/** What is not known stays unsaid: a list is worth showing without the tools of every layer. */
const orNothing = async <T>(work: Promise<ReadonlyMap<string, T>>) => {
  try {
    return await work;
  } catch (error) {
    if (error instanceof RescueError && error.code !== 'INTERRUPTED') return new Map<string, T>();
    throw error;
  }
};

/** A btrfs on one device is a plain file system. */
const btrfsStacks = async (host: Host, tree: readonly Device[]): Promise<Found> => {
  const facts = await describeBtrfs(host, tree);
  return new Map(
    [...facts]
      .filter(([, { expected }]) => expected > 1)
      .map(([path, { fsid, present, expected }]) => {
        const state = present < expected ? 'degraded' : 'active';
        const stack = { layer: 'btrfs', name: null, uuid: fsid, type: null, state } as const;
        return [path, { ...stack, present, expected }];
      }),
  );
};

/** UUID_SUB of those whose UUID is that of a whole with several members. */
const memberUuids = async (host: Host, devices: readonly Device[]) => {
  const paths = devices.flatMap(({ path, fsType }) =>
    path !== null && (fsType === 'linux_raid_member' || fsType === 'btrfs') ? [path] : [],
  );
  const probes = await probeDevices(host, paths);
  return new Map([...probes].map(([path, { memberUuid }]) => [path, memberUuid]));
};

const withFacts = (
  tree: readonly Device[],
  stacks: Found,
  duplicates: ReadonlyMap<string, string>,
): readonly Device[] => {
  const made = new Map<Device, Device>();
  const visit = (device: Device): Device => {
    const known = made.get(device);
    if (known !== undefined) return known;
    const path = device.path ?? '';
    const described = {
      ...device,
      // The same volume may be on a disk that is attached again: this mapping is not on it.
      stack: device.stack ?? stacks.get(path) ?? null,
      duplicateOf: duplicates.get(path) ?? null,
      children: device.children.map(visit),
    };
    made.set(device, described);
    return described;
  };
  return tree.map(visit);
};

/**
 * The tree with what each part of a storage stack belongs to: arrays, groups, encrypted volumes, file
 * systems over several devices, and clones. Reads metadata only; starts a program of a layer only
 * where that layer is met.
 */
export const describeStacks = async (
  host: Host,
  tree: readonly Device[],
): Promise<readonly Device[]> => {
  const devices = [...new Set(tree.flatMap(flattenDevice))];
  const [members, ...found] = await Promise.all([
    orNothing(memberUuids(host, devices)),
    orNothing(describeArrays(host, devices)),
    orNothing(describeContainers(host, devices)),
    orNothing(describeGroups(host, tree)),
    orNothing(btrfsStacks(host, tree)),
  ]);
  const stacks = new Map(found.flatMap((one) => [...one]));
  return withFacts(tree, stacks, findDuplicates(tree, members));
};
