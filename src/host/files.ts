import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import { dirname } from 'node:path';
import { type EntryState, readEntryState } from './entry-state.ts';
import { openRaw, type RawFile, type RawMode } from './raw-file.ts';

/** What a path is, without following a symbolic link at its end. */
export type FileKind = 'file' | 'directory' | 'symlink' | 'block' | 'other';

export type FileStatus = {
  readonly kind: FileKind;
  readonly sizeBytes: number;
  /** Permission bits including setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Device number of the file system that holds the file, and the inode in it. */
  readonly dev: number;
  readonly ino: number;
  /** Device number that a block or character node stands for. */
  readonly rdev: number;
};

/** How full a file system is; all zero where it keeps no such count. */
export type Space = {
  readonly sizeBytes: number;
  /** Free for root, and free for everybody else: ext keeps a share for root. */
  readonly freeBytes: number;
  readonly availableBytes: number;
  /** btrfs makes inodes as it needs them and says 0. */
  readonly inodes: number;
  readonly freeInodes: number;
};

/** The rescue host's files. Everything that is absent is null, everything else that fails throws. */
export type Files = {
  /** Whole text of a trusted file of the host (proc, sysfs, own state). */
  readonly readText: (path: string) => Promise<string | null>;
  /**
   * Bytes of a file on an attached disk: regular files only, no link followed at the end, never
   * blocks on a FIFO, at most `maxBytes` from `offsetBytes` (0) on. Null when absent or not a
   * regular file.
   */
  readonly readUntrusted: (
    path: string,
    maxBytes: number,
    offsetBytes?: number,
  ) => Promise<Buffer | null>;
  /** Names in a directory, sorted; null when it is not there or no directory. */
  readonly list: (path: string) => Promise<readonly string[] | null>;
  /** Status without following a link; null when absent. */
  readonly status: (path: string) => Promise<FileStatus | null>;
  /** Status after following links; null when absent or dangling. */
  readonly statusFollowed: (path: string) => Promise<FileStatus | null>;
  readonly readLink: (path: string) => Promise<string | null>;
  readonly realPath: (path: string) => Promise<string | null>;
  readonly makeDirectory: (path: string, mode: number) => Promise<void>;
  /** Creates the directory and its parents; no error when it is there. */
  readonly ensureDirectory: (path: string, mode: number) => Promise<void>;
  /** Removes an empty directory; false when it was not there or not empty. */
  readonly removeDirectory: (path: string) => Promise<boolean>;
  /**
   * Removes a directory of rescuekit's own with all that is in it. Never leaves the file system
   * that the directory is on: a file system that is mounted below is an error, not a victim.
   */
  readonly removeTree: (path: string) => Promise<void>;
  readonly removeFile: (path: string) => Promise<boolean>;
  /**
   * Writes a file of rescuekit's own state atomically (temporary name, then rename), and waits until
   * it is on the disk: after a power cut it is the old one or the new one.
   */
  readonly writeText: (path: string, text: string, mode: number) => Promise<void>;
  /** The same for bytes. */
  readonly writeBytes: (path: string, bytes: Uint8Array, mode: number) => Promise<void>;
  /** Creates a file; false when it exists already. The kernel decides races. */
  readonly createExclusive: (path: string, text: string, mode: number) => Promise<boolean>;
  /** Writes to a file of the kernel (cgroup, sysfs) in place. */
  readonly writeControl: (path: string, value: string) => Promise<void>;
  readonly append: (path: string, text: string) => Promise<void>;
  /** The same, and waits until it is on the disk: for what a power cut must not take away. */
  readonly appendSynced: (path: string, text: string) => Promise<void>;
  readonly copy: (from: string, to: string) => Promise<void>;
  /** Room on the file system that a path is on. */
  readonly space: (path: string) => Promise<Space>;
  /** Bytes that are free, without the share kept for root, on the file system of a path. */
  readonly freeBytes: (path: string) => Promise<number>;
  /**
   * True when the kernel lets nobody else claim the block device: it is mounted somewhere (in any
   * namespace), swap, or part of a running stack. open(2): O_EXCL on a block device gives EBUSY.
   */
  readonly isClaimed: (blockDevice: string) => Promise<boolean>;
  /** Everything by which a change of an entry is seen, link not followed; null when absent. */
  readonly entryState: (path: string) => Promise<EntryState | null>;
  /** Writes bytes to a file of rescuekit's own (mode 0600) and waits until they are on the disk. */
  readonly writeSynced: (path: string, bytes: Buffer | string) => Promise<void>;
  /** Bytes of a block device or file of the host at an offset; fewer at its end. */
  readonly readAt: (path: string, offsetBytes: number, length: number) => Promise<Buffer>;
  /** Writes bytes in place and waits until the device has them. */
  readonly writeAt: (path: string, offsetBytes: number, bytes: Buffer) => Promise<void>;
  /** Opens a disk, an image or a file of rescuekit's own to be read and written at any place. */
  readonly openRaw: (path: string, mode: RawMode) => Promise<RawFile>;
};

const absent = new Set(['ENOENT', 'ENOTDIR']);

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';

const orNull = async <T>(work: Promise<T>, also: readonly string[] = []): Promise<T | null> => {
  try {
    return await work;
  } catch (error) {
    if (absent.has(codeOf(error)) || also.includes(codeOf(error))) return null;
    throw error;
  }
};

const done = async (work: Promise<unknown>, tolerated: readonly string[]): Promise<boolean> => {
  try {
    await work;
    return true;
  } catch (error) {
    if (tolerated.includes(codeOf(error))) return false;
    throw error;
  }
};

const kindOf = (stats: Awaited<ReturnType<typeof fs.lstat>>): FileKind => {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isSymbolicLink()) return 'symlink';
  return stats.isBlockDevice() ? 'block' : 'other';
};

const statusOf = (stats: Awaited<ReturnType<typeof fs.lstat>>): FileStatus => ({
  kind: kindOf(stats),
  sizeBytes: Number(stats.size),
  mode: Number(stats.mode) & 0o7777,
  uid: Number(stats.uid),
  gid: Number(stats.gid),
  dev: Number(stats.dev),
  ino: Number(stats.ino),
  rdev: Number(stats.rdev),
});

const readUntrusted = async (
  path: string,
  maxBytes: number,
  offsetBytes = 0,
): Promise<Buffer | null> => {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
  // ELOOP: a link at the end; ENXIO: a socket or a device without a driver.
  const handle = await orNull(fs.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY), [
    'ELOOP',
    'ENXIO',
  ]);
  if (handle === null) return null;
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) return null;
    const rest = Math.max(stats.size - offsetBytes, 0);
    const buffer = Buffer.alloc(Math.min(rest, maxBytes));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, offsetBytes);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
};

const writeWhole = async (path: string, data: string | Uint8Array, mode: number): Promise<void> => {
  const temporary = `${path}.${process.pid}.new`;
  // A rename that reaches the disk before the content leaves an empty file under the name.
  await fs.writeFile(temporary, data, { mode, flush: true });
  await fs.rename(temporary, path);
  await syncDirectory(dirname(path));
};

/** A name is on the disk only when its directory is (fsync(2)). */
const syncDirectory = async (path: string): Promise<void> => {
  const handle = await fs.open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const removeTree = async (path: string, device?: number): Promise<void> => {
  const stats = await orNull(fs.lstat(path));
  if (stats === null) return;
  if (device !== undefined && stats.dev !== device) {
    throw new Error(`something is mounted at ${path}, it is not removed`);
  }
  if (!stats.isDirectory()) return fs.unlink(path);
  for (const name of await fs.readdir(path)) await removeTree(`${path}/${name}`, stats.dev);
  await fs.rmdir(path);
};

const writeSynced = async (path: string, bytes: Buffer | string): Promise<void> => {
  const handle = await fs.open(path, 'w', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const readAt = async (path: string, offsetBytes: number, length: number): Promise<Buffer> => {
  const handle = await fs.open(path, constants.O_RDONLY);
  try {
    const buffer = Buffer.alloc(length);
    const { bytesRead } = await handle.read(buffer, 0, length, offsetBytes);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
};

const writeAt = async (path: string, offsetBytes: number, bytes: Buffer): Promise<void> => {
  const handle = await fs.open(path, constants.O_WRONLY);
  try {
    let done = 0;
    while (done < bytes.length) {
      done += (await handle.write(bytes, done, bytes.length - done, offsetBytes + done))
        .bytesWritten;
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const isClaimed = async (blockDevice: string): Promise<boolean> => {
  try {
    const handle = await fs.open(blockDevice, constants.O_RDONLY | constants.O_EXCL);
    await handle.close();
    return false;
  } catch (error) {
    if (codeOf(error) === 'EBUSY') return true;
    throw error;
  }
};

/** The real files of the rescue host. */
export const hostFiles: Files = {
  readText: (path) => orNull(fs.readFile(path, 'utf8')),
  readUntrusted,
  list: async (path) => (await orNull(fs.readdir(path)))?.sort() ?? null,
  status: async (path) => {
    const stats = await orNull(fs.lstat(path));
    return stats === null ? null : statusOf(stats);
  },
  statusFollowed: async (path) => {
    const stats = await orNull(fs.stat(path), ['ELOOP']);
    return stats === null ? null : statusOf(stats);
  },
  // EINVAL: there, but no link.
  readLink: (path) => orNull(fs.readlink(path), ['EINVAL']),
  realPath: (path) => orNull(fs.realpath(path), ['ELOOP']),
  makeDirectory: async (path, mode) => {
    await fs.mkdir(path, { mode });
  },
  ensureDirectory: async (path, mode) => {
    await fs.mkdir(path, { mode, recursive: true });
  },
  removeDirectory: (path) => done(fs.rmdir(path), ['ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR']),
  removeTree: (path) => removeTree(path),
  removeFile: (path) => done(fs.unlink(path), ['ENOENT']),
  writeText: writeWhole,
  writeBytes: writeWhole,
  createExclusive: (path, text, mode) =>
    done(fs.writeFile(path, text, { mode, flag: 'wx' }), ['EEXIST']),
  writeControl: (path, value) => fs.writeFile(path, value),
  append: (path, text) => fs.appendFile(path, text, { mode: 0o600 }),
  appendSynced: (path, text) => fs.appendFile(path, text, { mode: 0o600, flush: true }),
  copy: (from, to) => fs.copyFile(from, to),
  openRaw,
  space: async (path) => {
    const { bsize, blocks, bfree, bavail, files, ffree } = await fs.statfs(path);
    return {
      sizeBytes: blocks * bsize,
      freeBytes: bfree * bsize,
      availableBytes: bavail * bsize,
      inodes: files,
      freeInodes: ffree,
    };
  },
  freeBytes: async (path) => {
    const stats = await fs.statfs(path);
    return stats.bavail * stats.bsize;
  },
  isClaimed,
  entryState: readEntryState,
  writeSynced,
  readAt,
  writeAt,
};
