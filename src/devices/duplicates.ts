import { type Device, flattenDevice, nodeOf } from './device.ts';

/** Signatures whose UUID is that of a whole with several members: there the member's own counts. */
const sharedUuid = new Set(['linux_raid_member', 'btrfs']);

const identityOf = (
  device: Device,
  memberUuids: ReadonlyMap<string, string | null>,
): string | null => {
  if (device.fsType === null || device.uuid === null) return null;
  if (!sharedUuid.has(device.fsType)) return `${device.fsType} ${device.uuid}`;
  const own = memberUuids.get(device.path ?? '') ?? null;
  return own === null ? null : `${device.fsType} ${device.uuid} ${own}`;
};

/** One stands on the other: a path of a multipath disk, the cover of a physical volume. */
const sameStack = (one: Device, other: Device): boolean =>
  flattenDevice(one).includes(other) || flattenDevice(other).includes(one);

/**
 * Of devices with the very same identity, all but the first are duplicates of that: clones of one
 * disk, or one disk attached twice. What the host uses is the original, the rest is in the order of
 * the tree.
 *
 * @param memberUuids blkid's UUID_SUB of array members and btrfs devices, by kernel node.
 * @returns the original's node by the kernel node of the duplicate.
 */
export const findDuplicates = (
  tree: readonly Device[],
  memberUuids: ReadonlyMap<string, string | null>,
): ReadonlyMap<string, string> => {
  const all = [...new Set(tree.flatMap(flattenDevice))];
  const ordered = [
    ...all.filter((device) => device.protected !== null),
    ...all.filter((device) => device.protected === null),
  ];
  const originals = new Map<string, Device>();
  const duplicates = new Map<string, string>();
  for (const device of ordered) {
    const identity = identityOf(device, memberUuids);
    if (identity === null || device.path === null) continue;
    const original = originals.get(identity);
    if (original === undefined) originals.set(identity, device);
    else if (!sameStack(original, device)) {
      duplicates.set(device.path, nodeOf(original) ?? original.name);
    }
  }
  return duplicates;
};
