import { posix } from 'node:path';
import type { Change } from '../../changes/change.ts';
import { type Esp, espsOf } from '../../diagnosis/boot-loader/esp.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import { refused } from '../plan.ts';
import type { RepairPlan } from '../repair.ts';

/** FAT keeps no modes; where the partition is mounted otherwise, only root shall read it. */
export const espMode = 0o700;

/**
 * Makes a plan for the first EFI system partition, where it is mounted and can be written.
 *
 * @param plan gets the partition and its mount point inside the system.
 * @param byHand what a person can do when there is no such partition.
 */
export const onMountedEsp = async (
  subject: Subject,
  byHand: string,
  plan: (esp: Esp, top: string) => Promise<RepairPlan>,
): Promise<RepairPlan> => {
  const [esp] = await espsOf(subject);
  if (esp === undefined) return refused('There is no EFI system partition.', byHand);
  if (esp.mountedAt === null) {
    return refused(
      'The EFI system partition is not mounted here, so nothing can be written to it.',
      'Name it in /etc/fstab (vfat, /boot/efi), or use a rescue host whose kernel has vfat.',
    );
  }
  return plan(esp, esp.mountedAt);
};

/** The directories that files on the partition need and that are not there, the upper ones first. */
export const directoriesFor = async (
  { files }: Subject,
  top: string,
  targets: readonly string[],
): Promise<readonly Change[]> => {
  const above = (path: string): readonly string[] =>
    path === '/' ? [] : [...above(posix.dirname(path)), path];
  const paths = [...new Set(targets.flatMap((target) => above(posix.dirname(target))))];
  const there = await Promise.all(paths.map((path) => files.isDirectory(`${top}${path}`)));
  return paths
    .filter((_, index) => there[index] !== true)
    .map((path) => ({
      kind: 'make-directory',
      path: `${top}${path}`,
      attributes: { mode: espMode, uid: 0, gid: 0 },
    }));
};
