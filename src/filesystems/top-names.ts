import type { Device } from '../devices/device.ts';
import type { Command } from '../host/command.ts';
import type { Host } from '../host/host.ts';
import { isInterruption } from '../host/rescue-error.ts';
import { openFat } from './fat-reader.ts';

/** `/12/040755/0/0/grub//`: inode, mode, owner, group, name, size of one entry (debugfs(8)). */
export const parseDebugfsNames = (text: string): readonly string[] =>
  text.split('\n').flatMap((line) => /^\/\d+\/\d+\/\d+\/\d+\/([^/]+)\//.exec(line)?.[1] ?? []);

/** `12   131   directory   0x0cfcbae2   4 grub (good)`: the last number is the name's length. */
export const parseXfsNames = (text: string): readonly string[] =>
  text
    .split('\n')
    .flatMap((line) => /^\d+\s+\d+\s+\w+\s+0x[\da-f]+\s+\d+ (.+) \(\w+\)$/.exec(line)?.[1] ?? []);

const accepted = { accept: [0, 1], changes: false } as const;

/** Catastrophic mode leaves out the bitmaps: a directory is read without them. */
const askExt = (path: string): Command => ({
  ...{ program: 'debugfs', args: ['-c', '-R', 'ls -p /', path], ...accepted },
});

const askXfs = (path: string): Command => ({
  ...{ program: 'xfs_db', args: ['-r', '-c', 'path /', '-c', 'ls', path], ...accepted },
});

const readNames = async (
  host: Host,
  path: string,
  fsType: string | null,
): Promise<readonly string[]> => {
  switch (fsType) {
    case 'ext2':
    case 'ext3':
    case 'ext4':
      return parseDebugfsNames((await host.run(askExt(path))).stdout);
    case 'xfs':
      return parseXfsNames((await host.run(askXfs(path))).stdout);
    case 'vfat': {
      const fat = await openFat((offset, length) => host.files.readAt(path, offset, length));
      // Its top has no entry for itself.
      return fat === null ? [] : ['.', ...((await fat.list('/')) ?? []).map(({ name }) => name)];
    }
    default:
      return [];
  }
};

/**
 * Names at the top of a file system that is not mounted, read without writing one byte. A journal
 * that waits is left out: what was made last may be missing.
 *
 * @returns null when they cannot be read: another type, damage, no tool for it on this host.
 */
export const topNames = async (
  host: Host,
  { path, fsType }: Pick<Device, 'path' | 'fsType'>,
): Promise<readonly string[] | null> => {
  if (path === null) return null;
  try {
    const names = await readNames(host, path, fsType);
    // Each directory has an entry for itself: without it nothing was read.
    return names.includes('.') ? names.filter((name) => !/^\.\.?$/.test(name)) : null;
  } catch (error) {
    if (isInterruption(error)) throw error;
    return null;
  }
};
