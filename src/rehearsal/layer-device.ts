import { kernelName } from '../devices/kernel-name.ts';
import type { Host } from '../host/host.ts';
import { RescueError } from '../host/rescue-error.ts';
import { coverArgs, makeStore, sectorsOf } from '../storage/cover.ts';
import type { Perform } from '../storage/layer.ts';
import { attachFreeLoop } from '../storage/loop.ts';
import { addLoopPartitions } from '../storage/partitions.ts';
import { layerPrefix } from './udev-rest.ts';

export type LayerRequest = {
  /** Disk or image that must not be written. */
  readonly origin: string;
  readonly session: string;
  /** File of what is written, and its largest size. */
  readonly store: string;
  readonly storeBytes: number;
  readonly number: number;
  /** Called with the node of the layer before its partitions are shown. */
  readonly beforeShown: (node: string) => Promise<void>;
};

/** A layer as it is up. */
export type LayerDevice = {
  /** The disk's stand-in, with partitions: a loop device. */
  readonly node: string;
  /** Name of the mapping, by which the kernel tells how full it is. */
  readonly mapping: string;
  /** Devices that belong to it and are no disks of their own: those that show origin and store. */
  readonly parts: readonly string[];
};

/** Bytes of a sector as the disk tells; a partition table counts in them. */
const sectorBytesOf = async (host: Host, device: string): Promise<number> => {
  const path = `/sys/class/block/${kernelName(device)}/queue/logical_block_size`;
  return Number((await host.files.readText(path)) ?? 512) || 512;
};

/**
 * The store is kept as it is, and only what the kernel writes goes to it: the undo in the journal
 * leaves it where it is, for it is what the person decides about.
 */
const keptStore = (file: string, bytes: number) => ({ ...makeStore(file, bytes), undo: null });

/**
 * Lays a layer over a disk that is claimed by nobody, and shows it as a disk with partitions. The
 * disk is shown through a loop device that only reads: device-mapper would claim the disk as a whole.
 *
 * @throws RescueError `COMMAND_FAILED`
 */
export const layDevice = async (
  host: Host,
  perform: Perform,
  { origin, session, store, storeBytes, number, beforeShown }: LayerRequest,
): Promise<LayerDevice> => {
  const sectorBytes = await sectorBytesOf(host, origin);
  const shape = { partitions: false, sectorBytes };
  const shown = await attachFreeLoop(host, perform, origin, 'read-only', shape);
  await perform(keptStore(store, storeBytes));
  const kept = await attachFreeLoop(host, perform, store, 'read-write', { partitions: false });
  const mapping = `${layerPrefix(session)}${number}`;
  const uuid = `RESCUEKIT-${session}-layer-${number}`;
  const sectors = await sectorsOf(host, shown);
  await perform({
    title: `Lay a copy-on-write layer over ${origin}`,
    commands: [{ program: 'dmsetup', args: coverArgs(mapping, uuid, shown, sectors, kept, 'P') }],
    why: 'Everything can be tried on it, and the disk stays as it is until you decide.',
    risk: 'none for the disk',
    undo: { kind: 'remove-mapping', name: mapping, uuid },
  });
  // The name that the kernel keeps of what a loop device shows has no links in it.
  const node = (await host.files.realPath(`/dev/mapper/${mapping}`)) ?? `/dev/mapper/${mapping}`;
  await beforeShown(node);
  const device = await attachFreeLoop(host, perform, node, 'read-write', { sectorBytes });
  const partitions = await addLoopPartitions(host, device);
  if (partitions !== null) await perform(partitions);
  return { node: device, mapping, parts: [shown, kept] };
};

/** The commands that lay a layer over a disk, as they are shown beforehand. */
export const layerLines = (disk: string): readonly (readonly string[])[] => [
  ['losetup', '--read-only', 'DISK_LOOP', disk],
  ['dmsetup', ...coverArgs('LAYER', 'UUID', 'DISK_LOOP', 'SECTORS', 'STORE_LOOP', 'P')],
  ['losetup', '--partscan', 'LAYER_LOOP', '/dev/mapper/LAYER'],
];

/** `full` when nothing more fits, or so little that the next write may not. */
export type LayerFill = 'room' | 'full';

/** From this share on a layer is taken for full: its session is stopped before it breaks. */
const fullShare = 0.97;

/** Reads a line of `dmsetup status`: `0 819200 snapshot 16/65536 16`, or a word when it broke. */
export const parseFill = (status: string): LayerFill => {
  const [, used, total] = / snapshot (\d+)\/(\d+) /.exec(`${status.trim()} `) ?? [];
  if (used === undefined || total === undefined) return 'full';
  return Number(used) >= Number(total) * fullShare ? 'full' : 'room';
};

export const readFill = async (host: Host, mapping: string): Promise<LayerFill> => {
  const { stdout } = await host.run({
    program: 'dmsetup',
    args: ['status', mapping],
    changes: false,
  });
  return parseFill(stdout);
};

/** Below this a layer would be full with the first repair. */
const smallestBytes = 16 * 2 ** 20;

/** What a layer over a disk needs at most: all of it, and the kernel's list of 16 bytes a chunk. */
const needOf = (diskBytes: number): number => Math.ceil(diskBytes * (1 + 1 / 256)) + 2 ** 20;

/**
 * Sizes of the stores of several disks: never more than the state directory has room for, when also
 * what the disks hold now has to be kept beside them (half of it), and never more than is needed.
 *
 * @throws RescueError `NO_SPACE`
 */
export const storeSizes = (
  diskBytes: readonly number[],
  freeBytes: number,
  directory: string,
): readonly number[] => {
  const sizeOf = (index: number): number => diskBytes[index] ?? 0;
  const order = diskBytes.map((_, index) => index).sort((a, b) => sizeOf(a) - sizeOf(b));
  const sizes = new Map<number, number>();
  let rest = Math.floor(freeBytes / 2);
  for (const [done, index] of order.entries()) {
    const need = needOf(sizeOf(index));
    const share = Math.floor(rest / (order.length - done));
    const bytes = Math.floor(Math.min(need, share) / 4096) * 4096;
    if (bytes < Math.min(smallestBytes, need - 4096)) throw noSpace(freeBytes, directory);
    sizes.set(index, bytes);
    rest -= bytes;
  }
  return diskBytes.map((_, index) => sizes.get(index) ?? 0);
};

const noSpace = (freeBytes: number, directory: string): RescueError =>
  new RescueError({
    code: 'NO_SPACE',
    message: `There is no room for a copy-on-write layer: ${Math.floor(freeBytes / 2 ** 20)} MiB are free in ${directory}.`,
    hint: 'Make room there, or name a directory on a larger file system: --state-dir DIR',
  });
