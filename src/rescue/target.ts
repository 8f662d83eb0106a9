import { resolve } from 'node:path';
import type { Host } from '../host/host.ts';
import { isBelow, readMounts } from '../host/mount-table.ts';
import { plainText } from '../host/plain-text.ts';
import { RescueError, refusal } from '../host/rescue-error.ts';
import { requireRawImage } from '../storage/loop.ts';

/** A name as it was typed, for whoever reads it in another directory; nothing stays nothing. */
export const absoluteName = (name: string): string => (name === '' ? '' : resolve(name));

/** What the person named. `lockKey` is the same for every name of the same file or directory. */
export type Target = {
  readonly kind: 'device' | 'image' | 'directory';
  /** Absolute path with all links resolved. */
  readonly path: string;
  /** As it was typed, for messages. */
  readonly name: string;
  readonly lockKey: string;
};

const notFound = (name: string): RescueError =>
  new RescueError({
    code: 'TARGET_NOT_FOUND',
    message: `There is no ${name} on this machine.`,
    hint: name.startsWith('/dev/')
      ? 'Was the disk detached? rescuekit list shows the disks that are attached now.'
      : 'Give a block device, a disk image file, or a directory with a system in it.',
    exit: 2,
  });

const wrongKind = (name: string): RescueError =>
  new RescueError({
    code: 'TARGET_KIND',
    message: `${name} is neither a block device, a disk image file nor a directory.`,
    exit: 2,
  });

const requireForeignDirectory = async (host: Host, path: string): Promise<void> => {
  const [root, here] = await Promise.all([
    host.files.statusFollowed('/'),
    host.files.statusFollowed(path),
  ]);
  if (root === null || here === null) return;
  if (root.dev === here.dev && root.ino === here.ino) {
    throw refusal(
      'PROTECTED',
      `${path} is the root of this machine itself.`,
      'Name the disk or directory of the system that needs the rescue.',
    );
  }
};

/** What a boot fills anew: whoever has prepared a tree for chroot(8) has these mounted there. */
const filledAtBoot = /^\/(dev|proc|run|sys|tmp)(\/|$)/;

/**
 * A tree is taken without what is mounted below it. A part of the system that is mounted there would
 * be missed by a diagnosis, and a repair would write below its mount point.
 */
const requireNothingBelow = async ({ files }: Host, path: string, name: string): Promise<void> => {
  const below = (await readMounts(files))
    .filter((mount) => mount.path !== path && isBelow(mount.path, path))
    .map((mount) => mount.path.slice(path.length))
    .filter((target) => !filledAtBoot.test(target));
  if (below.length === 0) return;
  throw refusal(
    'MOUNTED_BELOW',
    `Parts of the system are mounted below ${name} and would be left out: ${below.map(plainText).join(', ')}.`,
    'Unmount them and the tree, and name the disk: rescuekit mounts what belongs to the system by itself.',
  );
};

/**
 * Finds out what TARGET is. Looks at the path only, not at what is on it.
 *
 * @throws RescueError `TARGET_NOT_FOUND`, `TARGET_KIND` (2), `PROTECTED`, `MOUNTED_BELOW` (4),
 *   `IMAGE_FORMAT`, `EMPTY` (1).
 */
export const resolveTarget = async (host: Host, name: string): Promise<Target> => {
  const path = await host.files.realPath(name);
  const status = path === null ? null : await host.files.statusFollowed(path);
  if (path === null || status === null) throw notFound(name);
  switch (status.kind) {
    case 'block':
      return { kind: 'device', path, name, lockKey: `block-${status.rdev}` };
    case 'file':
      if (status.sizeBytes === 0) throw emptyTarget(name);
      await requireRawImage(host, path);
      return { kind: 'image', path, name, lockKey: `file-${status.dev}-${status.ino}` };
    case 'directory':
      await requireForeignDirectory(host, path);
      await requireNothingBelow(host, path, name);
      return { kind: 'directory', path, name, lockKey: `file-${status.dev}-${status.ino}` };
    default:
      throw wrongKind(name);
  }
};

/** Nothing is on it: no partition table, no file system. */
export const emptyTarget = (name: string): RescueError =>
  new RescueError({
    code: 'EMPTY',
    message: `${name} is empty: it has no partition table and no file system.`,
    hint: `Is it the right disk? rescuekit list shows size, model and volume id of each. If it held a file system, its superblock may be gone: rescuekit check ${name}`,
  });
