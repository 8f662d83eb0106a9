import type { Device } from '../devices/device.ts';
import { plainText } from '../host/plain-text.ts';
import { type KernelName, parseKernelName } from './device-names.ts';
import type { Resolution, ResolveContext } from './resolve-spec.ts';
import { candidatesAmong, type Node, sameDevice } from './target-devices.ts';

const extFamily = new Set(['ext2', 'ext3', 'ext4']);

/** Whether a device can be what a line with this type means; unknown types rule nothing out. */
const typeFits = (device: Device, fsType: string): boolean => {
  const onDisk = device.fsType;
  if (onDisk === null) return false;
  if (fsType === 'auto' || fsType === '') return onDisk !== 'swap' && !onDisk.includes('_');
  const wanted = fsType.split(',');
  if (wanted.includes(onDisk)) return true;
  if (wanted.includes('swap')) return onDisk === 'swap' || onDisk === 'swsuspend';
  // ext3 is mounted by the ext4 driver, and `msdos` is another view of vfat.
  return (
    wanted.some((type) => extFamily.has(type) && extFamily.has(onDisk)) ||
    (onDisk === 'vfat' && wanted.includes('msdos'))
  );
};

const isTaken = (device: Device, context: ResolveContext): boolean =>
  (context.taken ?? []).some((other) => sameDevice(other, device));

const onRootDisk = (node: Node, { rootDisk }: ResolveContext): boolean =>
  rootDisk !== null && node.disks.some((disk) => sameDevice(disk, rootDisk));

const guessed = (nodes: readonly Node[], path: string, by: string): Resolution => {
  const [only, second] = nodes;
  if (only === undefined) {
    return {
      kind: 'missing',
      reason: `${plainText(path)} is a name of an earlier boot and no attached disk has ${by}`,
    };
  }
  if (second !== undefined) {
    return { kind: 'ambiguous', candidates: nodes.map((node) => node.device) };
  }
  const note = `${plainText(path)} is a name of an earlier boot; this is the only one with ${by}`;
  return { kind: 'found', device: only.device, how: 'guessed', note };
};

/**
 * Which disk a kernel name can have meant. The root's own line tells what its disk was called:
 * then that name is this disk and every other name another one. Else the first disk (`sda`, `vda`,
 * `nvme0n1`) was most likely the one with the root, when there is a choice at all.
 */
const withDisk = (
  nodes: readonly Node[],
  name: KernelName,
  context: ResolveContext,
): readonly Node[] => {
  const root = context.rootSpec === undefined ? null : parseKernelName(context.rootSpec);
  if (context.rootDisk !== null && root !== null) {
    return nodes.filter((node) => onRootDisk(node, context) === (root.disk === name.disk));
  }
  const here = nodes.filter((node) => onRootDisk(node, context));
  return nodes.length > 1 && name.first && here.length === 1 ? here : nodes;
};

const fits = (device: Device, partition: number | null, fsType: string): boolean =>
  typeFits(device, fsType) &&
  (partition === null
    ? device.partition === null && device.partitionTable === null
    : device.partition?.number === partition);

const partitionWords = (partition: number | null, fsType: string): string => {
  const type = fsType === 'auto' ? 'a file system' : plainText(fsType);
  return partition === null ? `${type} on the whole disk` : `partition ${partition} with ${type}`;
};

const isDiskOrPartition = (device: Device): boolean =>
  ['disk', 'loop', 'multipath', 'partition'].includes(device.kind);

/** Guesses by partition number and type what `/dev/sda2` of an earlier boot is. */
export const guessByKernelName = (
  path: string,
  name: KernelName,
  fsType: string,
  context: ResolveContext,
): Resolution => {
  const nodes = candidatesAmong(
    context.devices,
    (device) =>
      isDiskOrPartition(device) &&
      fits(device, name.partition, fsType) &&
      !isTaken(device, context),
  );
  return guessed(withDisk(nodes, name, context), path, partitionWords(name.partition, fsType));
};

const partitionSuffix = (
  name: string,
): { readonly base: string; readonly number: number | null } => {
  const [, base = name, number] = /^(.*)-part(\d+)$/s.exec(name) ?? [];
  return { base, number: number === undefined ? null : Number(number) };
};

/** Guesses what a link under /dev/disk/by-path is: it names a slot of another machine. */
export const guessBySlot = (name: string, fsType: string, context: ResolveContext): Resolution => {
  const { number } = partitionSuffix(name);
  const nodes = candidatesAmong(
    context.devices,
    (device) =>
      isDiskOrPartition(device) && fits(device, number, fsType) && !isTaken(device, context),
  );
  return guessed(nodes, `/dev/disk/by-path/${name}`, partitionWords(number, fsType));
};

/**
 * Finds the disk of a link under /dev/disk/by-id by its serial: the link itself is absent without
 * udev, and has another prefix when the disk hangs on another bus (`ata-`, `usb-`, `virtio-`).
 */
export const guessBySerial = (
  name: string,
  fsType: string,
  context: ResolveContext,
): Resolution => {
  const { base, number } = partitionSuffix(name);
  const has = (disk: Device): boolean => {
    const serial = disk.serial?.trim().replace(/\s+/g, '_') ?? '';
    return serial.length >= 4 && base.endsWith(serial);
  };
  const nodes = candidatesAmong(
    context.devices,
    (device) => isDiskOrPartition(device) && fits(device, number, fsType),
  ).filter((node) => node.disks.some(has));
  const words = `this serial number and ${partitionWords(number, fsType)}`;
  return guessed(nodes, `/dev/disk/by-id/${name}`, words);
};

/** Guesses what `/dev/md0` is: array numbers are given anew where mdadm.conf does not fix them. */
export const guessArray = (path: string, fsType: string, context: ResolveContext): Resolution => {
  const number = parseKernelName(path)?.partition ?? null;
  const nodes = candidatesAmong(
    context.devices,
    (device) => device.kind === 'raid' && fits(device, number, fsType) && !isTaken(device, context),
  );
  return guessed(nodes, path, `a RAID array with ${fsType === 'auto' ? 'a file system' : fsType}`);
};
