import { type Device, flattenDevice } from '../devices/device.ts';

const lvmId = '/dev/disk/by-id/dm-uuid-LVM-';
const idLength = 32;

/** The id of a volume's group: LVM's device-mapper UUIDs are those of group and volume in a row. */
const groupOf = (device: Device): string | null =>
  device.aliases
    .find((alias) => alias.startsWith(lvmId))
    ?.slice(lvmId.length, lvmId.length + idLength) ?? null;

/**
 * Everything in which a system may lie when some devices belong to the target: they, what stands on
 * them, and the other volumes of the same groups, which may lie on another disk altogether. Each
 * once, members before what stands on them.
 */
export const relatedDevices = (
  tree: readonly Device[],
  starts: readonly Device[],
): readonly Device[] => {
  const below = new Set(starts.flatMap(flattenDevice));
  const groups = new Set([...below].flatMap((device) => groupOf(device) ?? []));
  if (groups.size === 0) return [...below];
  const siblings = tree
    .flatMap(flattenDevice)
    .filter((device) => device.protected === null && groups.has(groupOf(device) ?? ''));
  return [...new Set([...below, ...siblings.flatMap(flattenDevice)])];
};
