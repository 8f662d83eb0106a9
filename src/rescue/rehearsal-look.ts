import { type Device, flattenDevice } from '../devices/device.ts';
import { marksOf } from '../devices/disk-marks.ts';
import { partitionNode } from '../devices/kernel-name.ts';
import { messageOf, RescueError } from '../host/rescue-error.ts';
import { type FileList, listFiles } from '../rehearsal/file-list.ts';
import type { LayeredDisk } from '../rehearsal/record.ts';
import { type MountedSystem, mountDirectory, mountSystem } from './mount-system.ts';
import type { Observer } from './observer.ts';
import { type FindOptions, type FoundTarget, findSystem } from './rescue-job.ts';
import type { Session } from './session.ts';
import { disksOf } from './stand-aside.ts';
import { resolveTarget } from './target.ts';

/** What is to be rehearsed. */
export type RehearseRequest = Omit<FindOptions, 'mode'>;

/** What was there before anything was tried. */
export type FirstLook = {
  readonly found: FoundTarget;
  /** Disks of the system as they are in the tree; none for a directory. */
  readonly devices: readonly Device[];
  readonly disks: readonly LayeredDisk[];
  /** All entries of the system; null when it could not be mounted, with the reason. */
  readonly files: FileList | null;
  readonly filesNote: string | null;
};

/** Mounts a system for a look. */
export const mountForLook = (
  session: Session,
  { target, system }: FoundTarget,
): Promise<MountedSystem> =>
  target.kind === 'directory'
    ? mountDirectory(session, target, 'read-only')
    : mountSystem(session, system, { mode: 'read-only', setuid: false, apart: false });

/** Where find's list lies for a moment. */
export const listScratch = (session: Session): string => `${session.directory}/files.list`;

const listBefore = async (
  session: Session,
  found: FoundTarget,
): Promise<Pick<FirstLook, 'files' | 'filesNote'>> => {
  try {
    const { root } = await mountForLook(session, found);
    return { files: await listFiles(session.host, root, listScratch(session)), filesNote: null };
  } catch (error) {
    if (session.signal.aborted || !(error instanceof RescueError)) throw error;
    return {
      files: null,
      filesNote: `The system could not be mounted as it was, so its files are not compared: ${messageOf(error)}`,
    };
  }
};

/** Images that were named, by the loop device that shows each now. */
const imagesOf = async (
  session: Pick<Session, 'host'>,
  { attached }: Pick<FoundTarget, 'attached'>,
): Promise<ReadonlyMap<string, string>> => {
  const images = new Map<string, string>();
  for (const { name, path } of attached?.all ?? []) {
    const target = await resolveTarget(session.host, name);
    if (target.kind === 'image') images.set(path, target.path);
  }
  return images;
};

const layeredDisks = (
  devices: readonly Device[],
  images: ReadonlyMap<string, string>,
): readonly LayeredDisk[] =>
  devices.map((device, index) => {
    const node = device.path ?? `/dev/${device.name}`;
    const image = images.get(node);
    const { sizeBytes, serial } = device;
    const common = { number: index + 1, sizeBytes, serial, marks: marksOf(device) };
    return image === undefined
      ? { ...common, name: node, path: node, kind: 'disk' }
      : { ...common, name: image, path: image, kind: 'image', serial: null };
  });

/** Everything that the system lies on: what was named and drawn in, and what its fstab mounts. */
const nodesOf = ({
  attached,
  system,
}: Pick<FoundTarget, 'attached' | 'system'>): ReadonlySet<string> =>
  new Set([
    ...(attached?.searched ?? []).flatMap(({ path }) => path ?? []),
    ...system.mounts.flatMap(({ device, btrfs }) => [device ?? '', ...(btrfs?.devices ?? [])]),
  ]);

/** The disks on which a system lies, as they are in the tree; none for a directory. */
export const disksOfSystem = (found: Pick<FoundTarget, 'attached' | 'system'>): readonly Device[] =>
  disksOf(found.attached?.stack.tree ?? [], nodesOf(found));

/** The same with all by which they are known again. */
export const recordDisks = async (
  session: Pick<Session, 'host'>,
  found: Pick<FoundTarget, 'attached' | 'system'>,
): Promise<readonly LayeredDisk[]> =>
  layeredDisks(disksOfSystem(found), await imagesOf(session, found));

/**
 * Looks at the target as it is: which system, on which disks, with which files. Nothing is written,
 * and everything is down again afterwards.
 */
export const lookFirst = async (
  session: Session,
  request: RehearseRequest,
  observer: Observer,
): Promise<FirstLook> => {
  const mark = session.mark();
  const found = await findSystem(session, { ...request, mode: 'read-only' }, observer);
  if (found.target.kind === 'directory') await session.lock(found.target.lockKey, 'exclusive');
  const devices = disksOfSystem(found);
  const disks = await recordDisks(session, found);
  const list = await observer.task('List the files as they are', () => listBefore(session, found));
  await session.takeDownSince(mark);
  return { found, devices, disks, ...list };
};

/** Node of a layer that stands for what was named. */
export const standIn = (
  devices: readonly Device[],
  layers: readonly string[],
  node: string,
): string | null => {
  for (const [index, disk] of devices.entries()) {
    const layer = layers[index];
    const within = flattenDevice(disk).find(({ path }) => path === node);
    if (layer === undefined || within === undefined) continue;
    const number = disk.children.includes(within) ? within.partition?.number : undefined;
    // An array or volume is opened again from the layers of its disks.
    return number === undefined ? layer : partitionNode(layer, number);
  }
  return null;
};

/** How the system is called among several on the layers: partitions have other names there. */
export const nameOnLayer = ({ oneOfSeveral, system }: FoundTarget): string | null => {
  const number = system.place?.device.partition?.number;
  if (oneOfSeveral === null || number === undefined) return oneOfSeveral;
  const [, inside] = oneOfSeveral.split(/:(.*)/s);
  return inside === undefined ? `p${number}` : `p${number}:${inside}`;
};
