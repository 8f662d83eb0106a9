import type { Host } from '../host/host.ts';
import { RescueError } from '../host/rescue-error.ts';

const kernelName = async (host: Host, node: string): Promise<string> => {
  const path = (await host.files.realPath(node)) ?? node;
  return path.slice(path.lastIndexOf('/') + 1);
};

/** Kernel names of the devices of the mounted btrfs that this one is a device of. */
const mountedWith = async (host: Host, name: string): Promise<readonly string[] | null> => {
  for (const fsid of (await host.files.list('/sys/fs/btrfs')) ?? []) {
    const names = (await host.files.list(`/sys/fs/btrfs/${fsid}/devices`)) ?? [];
    if (names.includes(name)) return names;
  }
  return null;
};

/**
 * Makes sure that a mount really uses the devices that were named. The kernel finds the devices of
 * a btrfs by their UUIDs, and a clone has the same.
 *
 * @throws RescueError `WRONG_DEVICE` when it took another one.
 */
export const requireMountedFrom = async (
  host: Host,
  device: string,
  members: readonly string[],
): Promise<void> => {
  const allowed = await Promise.all([device, ...members].map((node) => kernelName(host, node)));
  const used = await mountedWith(host, allowed[0] ?? '');
  const foreign = used?.filter((name) => !allowed.includes(name)) ?? [];
  if (used !== null && foreign.length === 0) return;
  throw new RescueError({
    code: 'WRONG_DEVICE',
    message:
      used === null
        ? `The kernel mounted another device in place of ${device}: one with the same UUIDs.`
        : `The kernel put /dev/${foreign.join(', /dev/')} together with ${device}.`,
    hint: 'A copy of the disk is attached: detach it, or unmount it, and try again.',
  });
};
