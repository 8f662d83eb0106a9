import { type Device, flattenDevice } from '../devices/device.ts';
import { findDevice, readDevices } from '../devices/read-devices.ts';
import { isBelow } from '../host/mount-table.ts';
import { RescueError, refusal } from '../host/rescue-error.ts';
import type { Step } from '../host/step.ts';
import { attachLoop, freeLoopDevice, loopsOf } from '../storage/loop.ts';
import { addLoopPartitions, addPartitions } from '../storage/partitions.ts';
import { isReadOnly } from '../storage/write-protect.ts';
import type { Session } from './session.ts';
import { resolveTarget, type Target } from './target.ts';

export type AttachMode = 'read-only' | 'read-write';

/** The target's block devices as they are now, with all layers that could be opened. */
export type AttachedTarget = {
  readonly target: Target;
  /** What was named: a disk, a partition, or the loop device of an image. */
  readonly named: Device;
  /** The whole disk that `named` is or lies on. */
  readonly disk: Device;
  /** All attached disks that may belong to the system, the target's first; none is the host's. */
  readonly disks: readonly Device[];
};

const lockModeOf = (mode: AttachMode) => (mode === 'read-only' ? 'shared' : 'exclusive');

const isNamed = (device: Device, path: string): boolean =>
  device.path === path || device.aliases.includes(path);

const readTree = (session: Session): Promise<readonly Device[]> =>
  readDevices(session.host, { isOwnMount: (path) => isBelow(path, session.runDirectory) });

/**
 * A file that someone writes through another loop device is no disk that stands still. Several
 * read-only looks at one file do not disturb each other.
 */
const requireUnattached = async (
  session: Session,
  file: string,
  mode: AttachMode,
): Promise<void> => {
  for (const loop of await loopsOf(session.host, file)) {
    if (mode === 'read-only' && (await isReadOnly(session.host, loop))) continue;
    throw refusal(
      'BUSY',
      `${file} is already attached as ${loop}.`,
      `Name ${loop} instead of the file, or detach it first: losetup --detach ${loop}`,
    );
  }
};

const attachAttempts = 5;

/** Another program may take the device between the question and the answer: then the next one. */
const attachFreeLoop = async (
  session: Session,
  file: string,
  mode: AttachMode,
): Promise<string> => {
  for (let attempt = 1; ; attempt++) {
    const device = await freeLoopDevice(session.host);
    try {
      await session.perform(attachLoop(device, file, mode));
      return device;
    } catch (error) {
      const failed = error instanceof RescueError && error.code === 'COMMAND_FAILED';
      if (!failed || attempt === attachAttempts) throw error;
    }
  }
};

const attachImage = async (session: Session, file: string, mode: AttachMode): Promise<string> => {
  await requireUnattached(session, file, mode);
  const device = await attachFreeLoop(session, file, mode);
  const partitions = await addLoopPartitions(session.host, device);
  if (partitions !== null) await session.perform(partitions);
  return device;
};

/** Steps that open one more layer of the stack; none when everything is open. */
const openableLayers = async (
  session: Session,
  disks: readonly Device[],
): Promise<readonly Step[]> => {
  const devices = disks.flatMap(flattenDevice);
  const steps = await Promise.all(devices.map((device) => addPartitions(session.host, device)));
  return steps.filter((step) => step !== null);
};

/**
 * Nesting is visible only after opening, so: look, open what can be opened, look again, until
 * nothing new appears.
 */
const openLayers = async (
  session: Session,
  paths: readonly string[],
  first: readonly Device[],
): Promise<readonly Device[]> => {
  const performed = new Set<string>();
  for (let tree = first; ; tree = await readTree(session)) {
    const ours = tree.filter((disk) =>
      flattenDevice(disk).some((device) => paths.some((path) => isNamed(device, path))),
    );
    const steps = (await openableLayers(session, ours)).filter(
      (step) => !performed.has(step.title),
    );
    if (steps.length === 0) return tree;
    for (const step of steps) {
      performed.add(step.title);
      await session.perform(step);
    }
  }
};

/** Two sessions on two partitions of one disk would be in each other's way: the disk is locked. */
const lockDisks = async (
  session: Session,
  tree: readonly Device[],
  devices: readonly string[],
  mode: AttachMode,
): Promise<void> => {
  const numbers = devices.flatMap((path) => {
    const device = findDevice(tree, path);
    return device === null ? [] : (diskOf(tree, device).majorMinor ?? []);
  });
  for (const number of new Set(numbers)) {
    await session.lock(`block-${number.replace(':', '-')}`, lockModeOf(mode));
  }
};

const diskOf = (tree: readonly Device[], device: Device): Device =>
  tree.find((disk) => flattenDevice(disk).includes(device)) ?? device;

const requireFree = async (session: Session, target: Target, named: Device): Promise<void> => {
  if (named.protected !== null) {
    const { reason } = named.protected;
    const code = reason.startsWith('mounted at') ? 'MOUNTED' : 'PROTECTED';
    throw refusal(
      code,
      `${target.name} is protected: ${reason}.`,
      code === 'MOUNTED'
        ? 'Unmount it first if it is the disk to be rescued.'
        : 'Choose an attached disk: rescuekit list',
    );
  }
  const paths = flattenDevice(named).flatMap((device) => device.path ?? []);
  for (const path of paths) {
    if (await session.host.files.isClaimed(path)) throw busyTarget(path);
  }
};

const busyTarget = (path: string): RescueError =>
  refusal(
    'BUSY',
    `${path} is in use: the kernel lets nobody else claim it.`,
    'Look for mounts in other namespaces, arrays or volume groups on it: lsblk, rescuekit status',
  );

const vanished = (name: string): RescueError =>
  new RescueError({
    code: 'VANISHED',
    message: `${name} is gone: the disk was detached or gives no answer any more.`,
    hint: 'Attach it again and look: rescuekit list',
  });

const requireWritable = (target: Target, named: Device): void => {
  if (!named.readOnly) return;
  throw new RescueError({
    code: 'READ_ONLY',
    message: `${target.name} is read-only, it cannot be repaired or booted with changes kept.`,
    hint: 'Make it writable (blockdev --setrw, or attach it without the read-only option), or use --ephemeral.',
  });
};

/**
 * Attaches an image file or takes a block device as it is, and opens its layers.
 *
 * @param withDisks further disks or image files that may belong to the system (`--with`).
 * @throws RescueError `PROTECTED`, `MOUNTED`, `BUSY`, `LOCKED` (4), `READ_ONLY`, `VANISHED` (1).
 */
export const attachTarget = async (
  session: Session,
  target: Target,
  withDisks: readonly string[],
  mode: AttachMode,
): Promise<AttachedTarget> => {
  const others = await Promise.all(withDisks.map((name) => resolveTarget(session.host, name)));
  const paths: string[] = [];
  for (const each of [target, ...others]) {
    if (each.kind === 'image') await session.lock(each.lockKey, lockModeOf(mode));
    paths.push(each.kind === 'image' ? await attachImage(session, each.path, mode) : each.path);
  }
  const first = await readTree(session);
  await lockDisks(session, first, paths, mode);
  const tree = await openLayers(session, paths, first);
  const found = paths.map((path) => findDevice(tree, path));
  const [named] = found;
  if (named === undefined || named === null) throw vanished(target.name);
  for (const [index, each] of [target, ...others].entries()) {
    const device = found[index];
    if (device === undefined || device === null) throw vanished(each.name);
    await requireFree(session, each, device);
    if (mode === 'read-write') requireWritable(each, device);
  }
  const disk = diskOf(tree, named);
  const ours = [disk, ...found.flatMap((device) => (device ? [diskOf(tree, device)] : []))];
  const free = tree.filter((other) => other.protected === null);
  return { target, named, disk, disks: [...new Set([...ours, ...free])] };
};
