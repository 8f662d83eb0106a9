import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';

/**
 * `read`: what is there. `write`: what is there, and nobody else may claim the block device
 * meanwhile. `create`: a new file, empty, for its owner alone.
 */
export type RawMode = 'read' | 'write' | 'create';

/** A disk, an image or a large file, read and written at any place. */
export type RawFile = {
  readonly sizeBytes: number;
  /** As many bytes as asked for; fewer only at the end. */
  readonly read: (atBytes: number, bytes: number) => Promise<Buffer>;
  readonly write: (atBytes: number, bytes: Buffer) => Promise<void>;
  /** Waits until everything that was written is on the disk (fsync). */
  readonly sync: () => Promise<void>;
  readonly close: () => Promise<void>;
};

const flags: Readonly<Record<RawMode, number>> = {
  read: constants.O_RDONLY,
  // O_EXCL on a block device: EBUSY while it, or a partition of it, is mounted or part of a stack.
  write: constants.O_RDWR | constants.O_EXCL,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC,
};

/** A block device says 0 in its status; its end is where seeking to the end leads. */
const sizeOf = async (path: string, handle: fs.FileHandle): Promise<number> => {
  const stats = await handle.stat();
  if (!stats.isBlockDevice()) return stats.size;
  const number = `${(stats.rdev >> 8) & 0xfff}:${(stats.rdev & 0xff) | ((stats.rdev >> 12) & 0xfff00)}`;
  const sectors = Number(await fs.readFile(`/sys/dev/block/${number}/size`, 'utf8'));
  if (Number.isInteger(sectors)) return sectors * 512;
  throw new Error(`the kernel does not tell the size of ${path}`);
};

const readAt = async (handle: fs.FileHandle, atBytes: number, bytes: number): Promise<Buffer> => {
  const buffer = Buffer.alloc(bytes);
  let filled = 0;
  while (filled < bytes) {
    const { bytesRead } = await handle.read(buffer, filled, bytes - filled, atBytes + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
};

const writeAt = async (handle: fs.FileHandle, atBytes: number, bytes: Buffer): Promise<void> => {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await handle.write(
      bytes,
      written,
      bytes.length - written,
      atBytes + written,
    );
    written += bytesWritten;
  }
};

/** Opens it; what the kernel says is thrown as it is (EBUSY: somebody has claimed the device). */
export const openRaw = async (path: string, mode: RawMode): Promise<RawFile> => {
  const handle = await fs.open(path, flags[mode], 0o600);
  try {
    return {
      sizeBytes: await sizeOf(path, handle),
      read: (atBytes, bytes) => readAt(handle, atBytes, bytes),
      write: (atBytes, bytes) => writeAt(handle, atBytes, bytes),
      sync: () => handle.sync(),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
};
