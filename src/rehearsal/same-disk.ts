import { type Device, flattenDevice } from '../devices/device.ts';
import type { LayeredDisk } from './record.ts';

/** UUIDs by which a disk without a serial number is known again: those of all that is on it. */
export const marksOf = (disk: Device): readonly string[] =>
  [
    ...new Set(flattenDevice(disk).flatMap(({ uuid, partition }) => [uuid, partition?.uuid])),
  ].flatMap((mark) => mark ?? []);

/** The same size and serial number, which one that was put in its place may have, too. */
export const isShaped = (disk: LayeredDisk, device: Device): boolean =>
  device.sizeBytes === disk.sizeBytes && device.serial === disk.serial;

/** Whether a disk has something on it that was on the recorded one. */
const sharesMark = ({ marks = [] }: LayeredDisk, device: Device): boolean => {
  const now = new Set(marksOf(device));
  return marks.some((mark) => now.has(mark));
};

/** Whether an attached disk is the recorded one under another name: by serial number or content. */
export const isRenamed = (disk: LayeredDisk, device: Device): boolean =>
  isShaped(disk, device) && (disk.serial !== null || sharesMark(disk, device));

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
