import { type MountRequest, mountStep } from '../filesystems/mount-step.ts';
import { requireMountedFrom } from '../storage/btrfs-mounted.ts';
import type { Session } from './session.ts';

/**
 * Mounts one file system of the target and makes sure that it is this one.
 *
 * @returns the step's number, for `takeDown`.
 * @throws RescueError `COMMAND_FAILED`, `WRONG_DEVICE`; nothing is mounted then.
 */
export const mountFileSystem = async (session: Session, request: MountRequest): Promise<number> => {
  const step = await session.perform(mountStep(request));
  if (request.fsType !== 'btrfs') return step;
  try {
    await requireMountedFrom(session.host, request.device, request.btrfs?.devices ?? []);
  } catch (error) {
    await session.takeDown(step);
    throw error;
  }
  return step;
};
