import type { Device } from '../devices/device.ts';
import { type BtrfsDevice, expectedDevices } from './btrfs-devices.ts';

/** One btrfs as it can be put together from what is attached. */
export type BtrfsMembers = {
  readonly fsid: string;
  /** One device of each number, the target's own first. */
  readonly members: readonly BtrfsDevice[];
  /** Devices that are on no attached disk, or on several. */
  readonly missing: number;
  /** The same file system on devices that are not used: clones, and devices that fell behind. */
  readonly others: readonly BtrfsDevice[];
  /** Devices of the target that say that they are the same one. */
  readonly twice: readonly BtrfsDevice[];
  /** Clones of a missing device, none of which is taken. */
  readonly choices: readonly BtrfsDevice[];
};

const firstOfEach = (devices: readonly BtrfsDevice[]): readonly BtrfsDevice[] =>
  [...Map.groupBy(devices, ({ devid }) => devid).values()].flatMap(([first]) => first ?? []);

/** All supers are written in one commit; a crash between them leaves one commit of difference. */
const isAsNew = (device: BtrfsDevice, members: readonly BtrfsDevice[]): boolean =>
  members.every(({ generation }) => Math.abs(generation - device.generation) <= 1);

/**
 * Chooses the devices of one btrfs: those of the target, and of the free ones each that alone has a
 * missing number. Of clones none is drawn in, and nothing that fell behind.
 *
 * @param group all attached devices with this UUID.
 */
export const chooseMembers = (
  group: readonly BtrfsDevice[],
  isOurs: (device: Device) => boolean,
  isFree: (device: Device) => boolean,
): BtrfsMembers | null => {
  const ours = group.filter(({ device }) => isOurs(device));
  const own = firstOfEach(ours);
  const [first] = own;
  if (first === undefined) return null;
  const wanted = group.filter(
    (one) => isFree(one.device) && !own.some(({ devid }) => devid === one.devid),
  );
  const byNumber = [...Map.groupBy(wanted, ({ devid }) => devid).values()];
  const drawn = byNumber.flatMap((same) =>
    same.length === 1 ? same.filter((one) => isAsNew(one, own)) : [],
  );
  const members = [...own, ...drawn];
  return {
    fsid: first.fsid,
    members,
    missing: Math.max(expectedDevices(members) - members.length, 0),
    others: group.filter((one) => !members.includes(one)),
    twice: ours.filter((one) => !own.includes(one)),
    choices: byNumber.filter((same) => same.length > 1).flat(),
  };
};
