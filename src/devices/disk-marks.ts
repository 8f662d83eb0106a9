import { type Device, flattenDevice } from './device.ts';

/** UUIDs by which a disk without a serial number is known again: those of all that is on it. */
export const marksOf = (disk: Device): readonly string[] =>
  [
    ...new Set(flattenDevice(disk).flatMap(({ uuid, partition }) => [uuid, partition?.uuid])),
  ].flatMap((mark) => mark ?? []);

/** How much of what was on a recorded disk is on this one. */
export const sharedMarks = (marks: readonly string[], disk: Device): number => {
  const now = new Set(marksOf(disk));
  return marks.filter((mark) => now.has(mark)).length;
};

/**
 * Where among the disks of a system the one with these marks stands: that on which most of them are.
 *
 * @param index where it stood. It decides among equals, and where no mark is known.
 * @returns null when none of them has one of the marks.
 */
export const diskWith = (
  disks: readonly Device[],
  marks: readonly string[],
  index: number,
): Device | null => {
  const atItsPlace = disks[index] ?? null;
  if (marks.length === 0) return atItsPlace;
  const shared = disks.map((disk) => sharedMarks(marks, disk));
  const most = Math.max(0, ...shared);
  if (most === 0) return null;
  return shared[index] === most ? atItsPlace : (disks[shared.indexOf(most)] ?? null);
};
