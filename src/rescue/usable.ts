import { type Device, flattenDevice } from '../devices/device.ts';
import { findDevice } from '../devices/read-devices.ts';
import { RescueError, refusal } from '../host/rescue-error.ts';
import type { LayerMode } from '../storage/layer.ts';
import type { Session } from './session.ts';

/** A device as the person called it, and its node here. */
export type Named = { readonly name: string; readonly path: string };

const requireUnprotected = (name: string, device: Device): void => {
  if (device.protected === null) return;
  const { reason } = device.protected;
  const code = reason.startsWith('mounted at') ? 'MOUNTED' : 'PROTECTED';
  throw refusal(
    code,
    `${name} is protected: ${reason}.`,
    code === 'MOUNTED'
      ? 'Unmount it first if it is the disk to be rescued.'
      : 'Choose an attached disk: rescuekit list',
  );
};

/** The stack above a member claims it: then what stands on it is asked, and not the member. */
const hasHolders = async (session: Session, device: Device): Promise<boolean> => {
  const holders = await session.host.files.list(`/sys/class/block/${device.name}/holders`);
  return (holders ?? []).length > 0;
};

const requireUnclaimed = async (session: Session, named: Device): Promise<void> => {
  const devices = flattenDevice(named);
  const held = new Set<Device>();
  for (const device of devices) if (await hasHolders(session, device)) held.add(device);
  for (const device of devices) {
    // A disk is claimed through the partition that a stack stands on.
    if (device.path === null || flattenDevice(device).some((one) => held.has(one))) continue;
    if (await session.host.files.isClaimed(device.path)) throw busyTarget(device.path);
  }
};

const requireFree = async (session: Session, name: string, named: Device): Promise<void> => {
  requireUnprotected(name, named);
  await requireUnclaimed(session, named);
};

const busyTarget = (path: string): RescueError =>
  refusal(
    'BUSY',
    `${path} is in use: the kernel lets nobody else claim it.`,
    'Look for mounts in other namespaces, arrays or volume groups on it: lsblk, rescuekit status',
  );

export const vanished = (name: string): RescueError =>
  new RescueError({
    code: 'VANISHED',
    message: `${name} is gone: the disk was detached or gives no answer any more.`,
    hint: 'Attach it again and look: rescuekit list',
  });

const requireWritable = (name: string, named: Device): void => {
  if (!named.readOnly) return;
  throw new RescueError({
    code: 'READ_ONLY',
    message: `${name} is read-only, it cannot be repaired or booted with changes kept.`,
    hint: 'Make it writable (blockdev --setrw, or attach it without the read-only option), or use --ephemeral.',
  });
};

/** @throws RescueError `VANISHED` */
export const deviceOf = (tree: readonly Device[], { name, path }: Named): Device => {
  const device = findDevice(tree, path);
  if (device === null) throw vanished(name);
  return device;
};

/**
 * Makes sure that nobody uses the devices, and that they can be written where that is wanted.
 *
 * @throws RescueError `PROTECTED`, `MOUNTED`, `BUSY` (4), `READ_ONLY`, `VANISHED` (1).
 */
export const requireUsable = async (
  session: Session,
  tree: readonly Device[],
  all: readonly Named[],
  mode: LayerMode,
): Promise<void> => {
  for (const each of all) {
    const device = deviceOf(tree, each);
    await requireFree(session, each.name, device);
    if (mode === 'read-write') requireWritable(each.name, device);
  }
};
