import { findHolders } from '../host/holders.ts';
import type { Host } from '../host/host.ts';
import { isBelow, mountHolding, readMounts } from '../host/mount-table.ts';
import { gone, leftBusy, type UndoResult, undone } from '../host/undo-result.ts';
import { waitUntil } from '../host/wait.ts';

/** A helper that only looks (udev, a file indexer) lets go within this time. */
const patienceMilliseconds = 400;

/**
 * With nobody to be found the holder is a passing one: a container that is just starting has copied
 * the mount table and drops it when it changes its root.
 */
const passingMilliseconds = 5000;

/** Source of the tmpfs in which a session makes its mount points. */
export const sessionTmpfs = 'rescuekit';

/**
 * A mount namespace that was made meanwhile (a service with a private /tmp, another container) got
 * copies of our mounts, and a private copy keeps the disk busy for as long as it lives. When a mount
 * point is removed, the kernel detaches what is mounted on it in other namespaces (Linux 3.18, "vfs:
 * Lazily remove mounts on unlinked files and directories").
 *
 * Only in the session's own tmpfs: a mount point anywhere else is the disk's.
 */
const dropCopies = async (host: Host, path: string): Promise<void> => {
  const covering = mountHolding(await readMounts(host.files), path);
  if (covering?.fsType !== 'tmpfs' || covering.source !== sessionTmpfs) return;
  if (covering.path === path) return;
  if (await host.files.removeDirectory(path)) await host.files.makeDirectory(path, 0o700);
};

/**
 * True when both name the same block device: mount(8) writes `/dev/dm-0` into the kernel's table as
 * `/dev/mapper/NAME`.
 */
const isSameSource = async (host: Host, one: string, other: string): Promise<boolean> => {
  if (one === other) return true;
  const [a, b] = await Promise.all([one, other].map((path) => host.files.statusFollowed(path)));
  return a?.kind === 'block' && b?.kind === 'block' && a.rdev === b.rdev;
};

/**
 * Takes a mount down, never lazily: a lazy unmount hides the holder and makes the next step fail.
 * `source` is what /proc/self/mountinfo must still say of it, so that nobody else's mount is taken.
 */
export const unmount = async (
  host: Host,
  path: string,
  source: string | null,
): Promise<UndoResult> => {
  // The last mount on a path is the one that is seen; one below it is somebody else's.
  const current = async () =>
    (await readMounts(host.files)).findLast((mount) => mount.path === path);
  const mount = await current();
  if (mount === undefined) return gone;
  if (source !== null && !(await isSameSource(host, mount.source, source))) return gone;
  const attempt = async (): Promise<boolean> => {
    // umount(8): 32 is "umount failed", busy for instance; then the table is asked again.
    const result = await host.run({ program: 'umount', args: [path], accept: [0, 32] });
    return result.exitCode === 0 || (await current())?.id !== mount.id;
  };
  if (await waitUntil(attempt, patienceMilliseconds)) {
    await dropCopies(host, path);
    return undone;
  }
  const held = { path, majorMinor: mount.majorMinor };
  const nobody = (await findHolders(host, held)).length === 0;
  if (nobody && (await waitUntil(attempt, passingMilliseconds))) return undone;
  return leftBusy(host, path, held);
};

/** Takes down everything that is mounted in a directory of rescuekit's own, the last mount first. */
export const unmountBelow = async (host: Host, directory: string): Promise<UndoResult> => {
  const mounts = (await readMounts(host.files)).filter((mount) => isBelow(mount.path, directory));
  for (const mount of [...mounts].reverse()) {
    const result = await unmount(host, mount.path, mount.source);
    if (result.outcome === 'left') return result;
  }
  return mounts.length === 0 ? gone : undone;
};
