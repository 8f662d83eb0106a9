import type { Device } from '../devices/device.ts';
import { marksOf, sharedMarks } from '../devices/disk-marks.ts';
import type { LayeredDisk } from './record.ts';

/** The same size and serial number, which one that was put in its place may have, too. */
const isShaped = (disk: LayeredDisk, device: Device): boolean =>
  device.sizeBytes === disk.sizeBytes && device.serial === disk.serial;

const shared = ({ marks = [] }: LayeredDisk, device: Device): number => sharedMarks(marks, device);

const isBlank = ({ marks = [] }: LayeredDisk, device: Device): boolean =>
  marks.length === 0 || marksOf(device).length === 0;

/** Whether an attached disk is the recorded one under another name: by serial number or content. */
const isRenamed = (disk: LayeredDisk, device: Device): boolean =>
  isShaped(disk, device) && (disk.serial !== null || shared(disk, device) > 0);

/**
 * Whether an attached disk may be the recorded one. Names are given anew with every start of the
 * machine; a disk of which nothing else is known is taken for the one that had its name.
 */
export const maybeSame = (disk: LayeredDisk, device: Device): boolean => {
  if (disk.kind === 'image') return device.backingFile === disk.path;
  if (isRenamed(disk, device)) return true;
  return isBlank(disk, device) && isShaped(disk, device) && device.path === disk.path;
};

/**
 * Whether a disk that a person names may be the recorded one or a copy of it: by size and content,
 * for a copy has another serial number.
 */
export const maybeCopy = (disk: LayeredDisk, device: Device): boolean =>
  device.sizeBytes === disk.sizeBytes && (isBlank(disk, device) || shared(disk, device) > 0);

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
      weight: 2 * shared(disk, device) + (device.path === disk.path ? 1 : 0),
    }))
    .toSorted((one, other) => other.weight - one.weight);
  return first === undefined || first.weight === second?.weight ? null : first.device;
};
