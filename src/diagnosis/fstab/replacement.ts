import { type Device, nodeOf } from '../../devices/device.ts';
import { optionValue } from '../../system-image/fstab.ts';
import { parseSpec } from '../../system-image/fstab-spec.ts';
import { candidatesAmong, sameDevice } from '../../system-image/target-devices.ts';
import type { Subject, SubjectDevices } from '../subject.ts';
import { holdsBoot } from './boot-evidence.ts';
import type { Table, TableEntry } from './table.ts';

const gptEsp = 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b';

/** By its partition type, in either kind of partition table. */
export const isEsp = (device: Device): boolean =>
  device.partition?.type?.toLowerCase() === gptEsp || device.partition?.type === '0xef';

const typeFits = (device: Device, fsType: string): boolean =>
  fsType === 'auto'
    ? device.fsType !== null && device.fsType !== 'swap' && !device.fsType.includes('_')
    : fsType.split(',').includes(device.fsType ?? '');

const claimed = (table: Table, devices: SubjectDevices): readonly Device[] => [
  devices.root,
  ...table.entries.flatMap(({ resolution }) =>
    resolution?.kind === 'found' ? [resolution.device] : [],
  ),
];

const isEmptyPlace = async (subject: Subject, target: string): Promise<boolean> =>
  ((await subject.files.list(target)) ?? []).every((name) => name === 'lost+found');

/** The last part of the mount point, or what it is usually called: `/srv/data` and label `DATA`. */
const labelFits = (device: Device, target: string): boolean => {
  const name = target.split('/').at(-1)?.toLowerCase() ?? '';
  const labels = [device.label, device.partition?.label].map((label) => label?.toLowerCase());
  return name !== '' && labels.some((label) => label === name || label === target);
};

/**
 * Another line for the same place that does find its device: systemd takes the first of the two, so
 * the first is to say what the second says.
 */
const fromOtherLine = (table: Table, { entry, target }: TableEntry): Device | null => {
  const other = table.entries.find(
    (one) => one.target === target && one.entry !== entry && one.resolution?.kind === 'found',
  );
  return target.startsWith('/') && other?.resolution?.kind === 'found'
    ? other.resolution.device
    : null;
};

/** Whether what lies in it says that it is a /boot where none is meant, or the other way round. */
const isOfOtherPlace = async (
  subject: Subject,
  device: Device,
  target: string,
): Promise<boolean> => {
  if (isEsp(device)) return false;
  const holds = await holdsBoot(subject, device);
  return holds !== null && holds !== (target === '/boot');
};

/**
 * The file system that a line with a missing device can only mean: on the root's own disk, of the
 * line's type, named by no other line, its mount point empty without it, the only one of that kind,
 * and not against what lies in it. Null when there is none or a choice.
 */
export const evidentReplacement = async (
  subject: Subject,
  table: Table,
  one: TableEntry,
): Promise<Device | null> => {
  const { devices } = subject;
  const { entry, target, resolution } = one;
  // Found, under a name that udev does not make: in other letter case than the disk has it.
  if (resolution?.kind === 'found') return resolution.device;
  if (devices === null || optionValue(entry.options, 'subvol') !== null) return null;
  // A name of an earlier boot that fits no partition may as well have meant a disk of its own.
  if (['path', 'by-path', 'by-id'].includes(parseSpec(entry.spec, entry).kind)) return null;
  const other = fromOtherLine(table, one);
  if (other !== null) return other;
  const taken = claimed(table, devices);
  const free = candidatesAmong(
    [devices.disk],
    (device) =>
      (entry.fsType === 'swap' ? device.fsType === 'swap' : typeFits(device, entry.fsType)) &&
      (target === '/boot/efi' || target === '/efi' ? true : !isEsp(device)) &&
      !taken.some((known) => sameDevice(known, device)),
  ).map(({ device }) => device);
  const [only, second] = free;
  if (entry.fsType === 'swap') return second === undefined ? (only ?? null) : null;
  if (!(await isEmptyPlace(subject, target))) return null;
  const labelled = free.filter((device) => labelFits(device, target));
  const meant = labelled.length === 1 ? labelled[0] : second === undefined ? only : undefined;
  return meant === undefined || (await isOfOtherPlace(subject, meant, target)) ? null : meant;
};

/**
 * How fstab is to name a device: in the way of the line where that can be done, by UUID otherwise. A
 * logical volume keeps its name, which is as stable and tells more.
 */
export const specFor = (device: Device, before: string, subject: Subject): string | null => {
  const { partition } = device;
  const volume = subject.devices?.volumes.find(({ shownOn }) =>
    shownOn.includes(device.path ?? ''),
  );
  const uuid = volume?.fsid ?? device.uuid;
  if (before.startsWith('PARTUUID=') && partition?.uuid) return `PARTUUID=${partition.uuid}`;
  if (device.kind === 'lvm' && before.startsWith('/dev/')) return nodeOf(device);
  if (uuid !== null) return `UUID=${uuid}`;
  return partition?.uuid ? `PARTUUID=${partition.uuid}` : null;
};
