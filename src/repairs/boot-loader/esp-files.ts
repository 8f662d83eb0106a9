import { posix } from 'node:path';
import type { Change } from '../../changes/change.ts';
import { type Esp, espsOf } from '../../diagnosis/boot-loader/esp.ts';
import type { Finding } from '../../diagnosis/finding.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import { refused, together } from '../plan.ts';
import type { RepairPlan } from '../repair.ts';

/** FAT keeps no modes; where the partition is mounted otherwise, only root shall read it. */
export const espMode = 0o700;

/** What a finding of a partition is about begins with its node, and may go on with a path on it. */
const isNamedBy =
  (findings: readonly Finding[]) =>
  ({ device }: Esp): boolean => {
    const node = device.path ?? device.name;
    return findings.some(({ subject }) => subject === node || subject.startsWith(`${node} `));
  };

/**
 * Makes a plan for the EFI system partitions that findings name, else for the first one, where they
 * are mounted and can be written.
 *
 * @param plan gets a partition and its mount point inside the system.
 * @param byHand what a person can do when there is no such partition.
 */
export const onMountedEsp = async (
  subject: Subject,
  findings: readonly Finding[],
  byHand: string,
  plan: (esp: Esp, top: string) => Promise<RepairPlan>,
): Promise<RepairPlan> => {
  const all = await espsOf(subject);
  if (all.length === 0) return refused('There is no EFI system partition.', byHand);
  const named = all.filter(isNamedBy(findings));
  const meant = named.length > 0 ? named : all.slice(0, 1);
  const plans = meant.flatMap((esp) => (esp.mountedAt === null ? [] : [plan(esp, esp.mountedAt)]));
  return plans.length > 0
    ? together(await Promise.all(plans))
    : refused(
        'The EFI system partition is not mounted here, so nothing can be written to it.',
        'Name it in /etc/fstab (vfat, /boot/efi), or use a rescue host whose kernel has vfat.',
      );
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
