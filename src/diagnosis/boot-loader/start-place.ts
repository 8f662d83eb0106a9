import { type Device, flattenDevice } from '../../devices/device.ts';
import { normalTarget } from '../../system-image/fstab.ts';
import { sameDevice } from '../../system-image/target-devices.ts';
import type { Subject, SubjectDevices } from '../subject.ts';

/** Every attached device that may belong to the system. */
export const allDevices = ({ disks, disk }: SubjectDevices): readonly Device[] =>
  [disk, ...disks].flatMap(flattenDevice);

/** The device with `/boot`: its own one, or the root. */
export const bootDevice = (subject: Subject, devices: SubjectDevices): Device => {
  const mount = subject.mounts.find(
    ({ target, state }) => state === 'mount' && normalTarget(target) === '/boot',
  );
  const found = allDevices(devices).find(
    ({ path, aliases }) =>
      mount?.device !== undefined &&
      mount.device !== null &&
      (path === mount.device || aliases.includes(mount.device)),
  );
  return found ?? devices.root;
};

/** Whether one of the attached devices has a file system or array with this UUID. */
export const hasUuid = (devices: SubjectDevices, uuid: string): boolean => {
  const wanted = uuid.toLowerCase();
  return (
    allDevices(devices).some((device) => device.uuid?.toLowerCase() === wanted) ||
    // A clone of a mounted btrfs has another UUID for the time of the session.
    devices.volumes.some(({ fsid }) => fsid.toLowerCase() === wanted)
  );
};

/**
 * Why GRUB's name of a place is not where `/boot` is, in words; null when it is, or when that cannot
 * be told. The numbers of disks depend on the machine; the numbers of partitions do not.
 */
export const wrongPlace = (
  subject: Subject,
  devices: SubjectDevices,
  place: string,
): string | null => {
  const number = /^(?:hd\d+)?,(?:gpt|msdos)?(\d+)$/.exec(place)?.[1];
  const boot = bootDevice(subject, devices);
  if (number === undefined || boot.partition === null) return null;
  const onRootDisk = devices.disk.children.some((child) => sameDevice(child, boot));
  return !onRootDisk || Number(number) === boot.partition.number
    ? null
    : `it is partition ${boot.partition.number}`;
};
