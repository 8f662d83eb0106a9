import { type Device, flattenDevice } from '../devices/device.ts';
import { sameDevice } from '../system-image/target-devices.ts';
import type { Subject, SubjectDevices } from './subject.ts';

/**
 * The disks that the system is on: those of its root and of what it mounts, the root's first. Others
 * that are attached are none of its business.
 */
export const ownDisks = (
  { mounts }: { readonly mounts: readonly Pick<Subject['mounts'][number], 'device'>[] },
  { disk, disks, root }: Pick<SubjectDevices, 'disk' | 'disks' | 'root'>,
): readonly Device[] => {
  const nodes = new Set(mounts.flatMap(({ device }) => device ?? []));
  const isOwn = (one: Device): boolean =>
    sameDevice(one, root) || [one.path ?? '', ...one.aliases].some((path) => nodes.has(path));
  const others = disks.filter(
    (one) => !sameDevice(one, disk) && flattenDevice(one).some((device) => isOwn(device)),
  );
  return [disk, ...others];
};

/**
 * The disks that may be written outside of file systems. What fstab merely seems to mean does not
 * make a disk the system's: it has to be mounted.
 */
export const writableDisks = (
  mounts: readonly Pick<Subject['mounts'][number], 'device' | 'state'>[],
  devices: Pick<SubjectDevices, 'disk' | 'disks' | 'root'> | null,
): readonly Device[] =>
  devices === null
    ? []
    : ownDisks({ mounts: mounts.filter(({ state }) => state === 'mount') }, devices);
