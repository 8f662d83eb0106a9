import { type Device, flattenDevice } from '../devices/device.ts';
import type { LayeredDisk } from './record.ts';

/** UUIDs by which a disk without a serial number is known again: those of all that is on it. */
export const marksOf = (disk: Device): readonly string[] =>
  [
    ...new Set(flattenDevice(disk).flatMap(({ uuid, partition }) => [uuid, partition?.uuid])),
  ].flatMap((mark) => mark ?? []);

/** The same size and serial number, which one that was put in its place may have, too. */
const isShaped = (disk: LayeredDisk, device: Device): boolean =>
  device.sizeBytes === disk.sizeBytes && device.serial === disk.serial;

/** How much of what is on a disk was on the recorded one. */
const sharedMarks = ({ marks = [] }: LayeredDisk, device: Device): number => {
  const now = new Set(marksOf(device));
  return marks.filter((mark) => now.has(mark)).length;
};

/** Whether an attached disk is the recorded one under another name: by serial number or content. */
const isRenamed = (disk: LayeredDisk, device: Device): boolean =>
  isShaped(disk, device) && (disk.serial !== null || sharedMarks(disk, device) > 0);

/**
 * Whether an attached disk may be the recorded one. Names are given anew with every start of the
 * machine; a disk of which nothing else is known is taken for the one that had its name.
 */
export const maybeSame = (disk: LayeredDisk, device: Device): boolean => {
  if (disk.kind === 'image') return device.backingFile === disk.path;
  if (isRenamed(disk, device)) return true;
  const isBlank = (disk.marks ?? []).length === 0 || marksOf(device).length === 0;
  return isBlank && isShaped(disk, device) && device.path === disk.path;
};

/**
 * The attached disk that is the recorded one: what is on it counts for more than the name that it
 * has today. Halves of a mirror share the UUIDs of what lies on both, but not those of their
 * partitions.
 *
 * @returns null when none is, or two are as likely.
 */
export const theSame = (disk: LayeredDisk, tree: readonly Device[]): Device | null => {
  const [first, second] = tree
    .filter((device) => maybeSame(disk, device))
    .map((device) => ({
      device,
      // Among equals the name decides.
      weight: 2 * sharedMarks(disk, device) + (device.path === disk.path ? 1 : 0),
    }))
    .toSorted((one, other) => other.weight - one.weight);
  return first === undefined || first.weight === second?.weight ? null : first.device;
};
