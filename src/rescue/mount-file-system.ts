import { type MountRequest, mountStep } from '../filesystems/mount-step.ts';
import { RescueError } from '../host/rescue-error.ts';
import { requireMountedFrom } from '../storage/btrfs-mounted.ts';
import { forgetDetached } from '../storage/btrfs-registration.ts';
import type { Session } from './session.ts';

/** EEXIST: another device is in the kernel's list in place of this one. */
const isRegisteredOther = (error: unknown): boolean =>
  error instanceof RescueError &&
  error.code === 'COMMAND_FAILED' &&
  error.message.includes('File exists');

const performMount = async (session: Session, request: MountRequest): Promise<number> => {
  try {
    return await session.perform(mountStep(request));
  } catch (error) {
    if (request.fsType !== 'btrfs' || !isRegisteredOther(error)) throw error;
    await forgetDetached(session.host, [request.device, ...(request.btrfs?.devices ?? [])]);
    return session.perform(mountStep(request));
  }
};

/**
 * Mounts one file system of the target and makes sure that it is this one.
 *
 * @returns the step's number, for `takeDown`.
 * @throws RescueError `COMMAND_FAILED`, `WRONG_DEVICE`; nothing is mounted then.
 */
export const mountFileSystem = async (session: Session, request: MountRequest): Promise<number> => {
  const step = await performMount(session, request);
  if (request.fsType !== 'btrfs') return step;
  try {
    await requireMountedFrom(session.host, request.device, request.btrfs?.devices ?? []);
  } catch (error) {
    await session.takeDown(step);
    throw error;
  }
  return step;
};
