import type { Member } from './examine.ts';

/** How many members each level works without. */
const spareable: Readonly<Record<string, number>> = {
  raid0: 0,
  linear: 0,
  raid4: 1,
  raid5: 1,
  raid6: 2,
};

/**
 * Whether one of the copies of every chunk is there. The same windows as mdadm's `enough()`: `near`
 * times `far` neighbours hold the copies of one chunk, and the next chunk starts `near` further on.
 */
const raid10Runs = (
  slots: ReadonlySet<number>,
  disks: number,
  { near, far }: { readonly near: number; readonly far: number },
): boolean => {
  const copies = Array.from({ length: near * far }, (_, copy) => copy);
  for (let first = 0, step = 0; step < disks; step++) {
    if (!copies.some((copy) => slots.has((first + copy) % disks))) return false;
    first = (first + near) % disks;
    if (first === 0) break;
  }
  return true;
};

type Geometry = Pick<Member, 'level' | 'raidDevices' | 'copies'>;

/** Whether an array works with the members in these slots and no others. */
export const canRun = (
  { level, raidDevices, copies }: Geometry,
  slots: ReadonlySet<number>,
): boolean => {
  if (slots.size >= raidDevices) return true;
  if (level === 'raid1') return slots.size > 0;
  if (level === 'raid10') return copies !== null && raid10Runs(slots, raidDevices, copies);
  return raidDevices - slots.size <= (spareable[level] ?? 0);
};
