import { type Device, flattenDevice, memberTypes } from '../devices/device.ts';
import { findDevice } from '../devices/read-devices.ts';
import { refusal } from '../host/rescue-error.ts';
import type { ClosedLayer, LayerMode } from '../storage/layer.ts';
import { attachFreeLoop, lastingLoopsOf } from '../storage/loop.ts';
import { addLoopPartitions } from '../storage/partitions.ts';
import { isReadOnly } from '../storage/write-protect.ts';
import { requireWhole } from './half-written.ts';
import { type OpenStack, openStack, readTree } from './open-stack.ts';
import { relatedDevices } from './related-devices.ts';
import type { Session } from './session.ts';
import type { StackAnswers } from './stack-answers.ts';
import { resolveTarget, type Target } from './target.ts';
import { deviceOf, type Named, requireUsable, vanished } from './usable.ts';

export type AttachOptions = {
  /** Further disks or image files that may belong to the system (`--with`). */
  readonly withDisks: readonly string[];
  readonly mode: LayerMode;
  /**
   * How the layers are opened, where that is another thing than how an image is attached: a walk
   * looks first and asks later. Default: `mode`.
   */
  readonly stackMode?: LayerMode;
  readonly answers: StackAnswers;
};

type Claim = (tree: readonly Device[], paths: readonly string[]) => Promise<void>;

/** The target's block devices as they are now, with all layers that could be opened. */
export type AttachedTarget = {
  readonly target: Target;
  /** What was named: a disk, a partition, or the loop device of an image. */
  readonly named: Device;
  /** What was named and all that belongs to it: in these a system is looked for. */
  readonly searched: readonly Device[];
  /** The whole disk that `named` is or lies on. */
  readonly disk: Device;
  /** All attached disks that may belong to the system, the target's first; none is the host's. */
  readonly disks: readonly Device[];
  /** Layers that stay closed, each with the reason. */
  readonly closed: readonly ClosedLayer[];
  /** The layers that were opened, and how they are closed again. */
  readonly stack: OpenStack;
  /** How they were opened. */
  readonly stackMode: LayerMode;
  /** Devices on other disks that were opened because the system names them. */
  readonly further: readonly string[];
  /** What was named, by its node here: the target itself, then `--with`. */
  readonly all: readonly Named[];
  /** Locks the disk of a device before its first use. */
  readonly claim: Claim;
};

const lockModeOf = (mode: LayerMode) => (mode === 'read-only' ? 'shared' : 'exclusive');

/**
 * A file that someone writes through another loop device is no disk that stands still. Several
 * read-only looks at one file do not disturb each other.
 */
const requireUnattached = async (
  session: Session,
  file: string,
  mode: LayerMode,
): Promise<void> => {
  for (const loop of await lastingLoopsOf(session.host, file)) {
    if (mode === 'read-only' && (await isReadOnly(session.host, loop))) continue;
    throw refusal(
      'BUSY',
      `${file} is already attached as ${loop}.`,
      `Name ${loop} instead of the file, or detach it first: losetup --detach ${loop}`,
    );
  }
};

const attachImage = async (session: Session, file: string, mode: LayerMode): Promise<string> => {
  await requireUnattached(session, file, mode);
  const device = await attachFreeLoop(session.host, session.perform, file, mode);
  const partitions = await addLoopPartitions(session.host, device);
  if (partitions !== null) await session.perform(partitions);
  return device;
};

const diskOf = (tree: readonly Device[], device: Device): Device =>
  tree.find((disk) => flattenDevice(disk).includes(device)) ?? device;

/**
 * What one session has opened on a disk another one must not use, not even to look: it goes away
 * with the session that opened it.
 */
const hasLayers = (disk: Device): boolean =>
  flattenDevice(disk).some(({ fsType }) => memberTypes.has(fsType ?? ''));

/**
 * Two sessions on two partitions of one disk would be in each other's way: the disk is locked. It is
 * locked once, when the first of its devices is used.
 */
const diskLocker = (session: Session, mode: LayerMode): Claim => {
  const locked = new Set<string>();
  return async (tree, paths) => {
    for (const path of paths) {
      const device = findDevice(tree, path);
      if (device === null) continue;
      const disk = diskOf(tree, device);
      const number = disk.majorMinor;
      if (number === null || locked.has(number)) continue;
      locked.add(number);
      await requireWhole(session, disk);
      const name = number.replace(':', '-');
      await session.lock(`block-${name}`, lockModeOf(mode));
      if (hasLayers(disk)) await session.lock(`stack-${name}`, 'exclusive');
    }
  };
};

const resolveNamed = async (
  session: Session,
  targets: readonly Target[],
  mode: LayerMode,
): Promise<readonly Named[]> => {
  const named: Named[] = [];
  for (const { kind, path, name, lockKey } of targets) {
    if (kind === 'image') await session.lock(lockKey, lockModeOf(mode));
    named.push({ name, path: kind === 'image' ? await attachImage(session, path, mode) : path });
  }
  return named;
};

const related = (
  tree: readonly Device[],
  target: Target,
  all: readonly Named[],
  { opened }: OpenStack,
): Pick<AttachedTarget, 'named' | 'searched' | 'disk' | 'disks'> => {
  const devices = all.map((each) => deviceOf(tree, each));
  const [named] = devices;
  if (named === undefined) throw vanished(target.name);
  const disk = diskOf(tree, named);
  const drawn = opened.flatMap((opening) =>
    opening.devices.flatMap((path) => findDevice(tree, path) ?? []),
  );
  const ours = [disk, ...[...devices, ...drawn].map((device) => diskOf(tree, device))];
  const free = tree.filter((other) => other.protected === null);
  const searched = relatedDevices(tree, [named, ...drawn]);
  return { named, searched, disk, disks: [...new Set([...ours, ...free])] };
};

type OpenTarget = Pick<AttachedTarget, 'target' | 'all' | 'claim' | 'stackMode'> & {
  readonly answers: StackAnswers;
};

/** Opens the layers on what was named, all of which is known to be free. */
const openNamed = async (
  session: Session,
  first: readonly Device[],
  { answers, ...attached }: OpenTarget,
): Promise<AttachedTarget> => {
  const { target, all, claim, stackMode: mode } = attached;
  const paths = all.map(({ path }) => path);
  const stack = await openStack(session, first, { paths, mode, answers, claim });
  const parts = related(stack.tree, target, all, stack);
  return { ...attached, ...parts, closed: stack.closed, stack, further: [] };
};

/**
 * Attaches an image file or takes a block device as it is, and opens its layers.
 *
 * @throws RescueError `PROTECTED`, `MOUNTED`, `BUSY`, `LOCKED`, `HALF_WRITTEN` (4), `READ_ONLY`,
 *   `VANISHED` (1).
 */
export const attachTarget = async (
  session: Session,
  target: Target,
  options: AttachOptions,
): Promise<AttachedTarget> => {
  const others = await Promise.all(
    options.withDisks.map((name) => resolveTarget(session.host, name)),
  );
  const { mode, stackMode = mode, answers } = options;
  const all = await resolveNamed(session, [target, ...others], mode);
  const claim = diskLocker(session, mode);
  const tree = await readTree(session);
  const paths = all.map(({ path }) => path);
  await claim(tree, paths);
  await requireUsable(session, tree, all, mode);
  return openNamed(session, tree, { target, all, claim, stackMode, answers });
};

/**
 * Opens the layers on further disks that turn out to belong to the system.
 *
 * @param nodes devices on attached disks that nobody uses.
 */
export const extendTarget = async (
  session: Session,
  attached: AttachedTarget,
  nodes: readonly string[],
  answers: StackAnswers,
): Promise<AttachedTarget> => {
  const { target, all, claim, stackMode: mode, stack: before } = attached;
  const further = nodes.map((path) => ({ name: path, path }));
  const paths = [...all, ...further].map(({ path }) => path);
  await claim(before.tree, nodes);
  await requireUsable(session, before.tree, further, mode);
  const stack = await openStack(session, before.tree, { paths, mode, answers, claim, before });
  const parts = related(stack.tree, target, all, stack);
  return { ...attached, ...parts, closed: stack.closed, stack, further: nodes };
};

/**
 * Closes the layers of a target and opens them again for writing. What is mounted from them is
 * unmounted by the caller; nodes under /dev/mapper and /dev/md keep their names.
 *
 * @throws RescueError as `attachTarget`, and `LEFT_BEHIND` (5) when a layer is busy.
 */
export const reopenForWriting = async (
  session: Session,
  attached: AttachedTarget,
  answers: StackAnswers,
): Promise<AttachedTarget> => {
  const { target, all, claim, stack, further } = attached;
  if (stack.steps.length === 0) return attached;
  await session.hooks.tell({ mode: 'read-write' });
  for (const step of [...stack.steps].reverse()) await session.takeDown(step);
  const tree = await readTree(session);
  await requireUsable(session, tree, all, 'read-write');
  const options = { target, all, claim, stackMode: 'read-write', answers } as const;
  const reopened = await openNamed(session, tree, options);
  return further.length === 0 ? reopened : extendTarget(session, reopened, further, answers);
};
