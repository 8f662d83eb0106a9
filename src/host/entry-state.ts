import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import * as fs from 'node:fs/promises';
import { z } from 'zod';

/** What an entry of a file system is, as exactly as is needed to see that it was changed. */
export const entryStateSchema = z.object({
  kind: z.enum(['file', 'directory', 'symlink', 'other']),
  /** Permission bits including setuid, setgid and sticky. */
  mode: z.int(),
  uid: z.int(),
  gid: z.int(),
  sizeBytes: z.int(),
  /** Seconds and nanoseconds since the epoch, as touch(1) reads them: `1700000000.123456789`. */
  modified: z.string(),
  accessed: z.string(),
  /** Of a regular file. */
  sha256: z.string().nullable(),
  /** Of a link. */
  linkTarget: z.string().nullable(),
});

export type EntryState = Readonly<z.infer<typeof entryStateSchema>>;

const secondsOf = (nanoseconds: bigint): string => {
  const whole = nanoseconds / 1_000_000_000n;
  const rest = nanoseconds % 1_000_000_000n;
  // Before 1970 the remainder is negative.
  return rest < 0n
    ? `${whole - 1n}.${String(rest + 1_000_000_000n).padStart(9, '0')}`
    : `${whole}.${String(rest).padStart(9, '0')}`;
};

const fileSum = async (path: string): Promise<string> => {
  const { O_RDONLY, O_NOFOLLOW, O_NOATIME } = constants;
  const handle = await fs.open(path, O_RDONLY | O_NOFOLLOW | O_NOATIME);
  const hash = createHash('sha256');
  for await (const chunk of createReadStream('', { fd: handle })) hash.update(chunk as Buffer);
  return hash.digest('hex');
};

/**
 * Reads the state of an entry without following a link at its end; null when there is none.
 *
 * @throws the system's own error for what cannot be read.
 */
export const readEntryState = async (path: string): Promise<EntryState | null> => {
  const stats = await fs.lstat(path, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw error;
  });
  if (stats === null) return null;
  const kind = stats.isFile()
    ? 'file'
    : stats.isDirectory()
      ? 'directory'
      : stats.isSymbolicLink()
        ? 'symlink'
        : 'other';
  return {
    kind,
    mode: Number(stats.mode) & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    sizeBytes: Number(stats.size),
    modified: secondsOf(stats.mtimeNs),
    accessed: secondsOf(stats.atimeNs),
    sha256: kind === 'file' ? await fileSum(path) : null,
    linkTarget: kind === 'symlink' ? await fs.readlink(path) : null,
  };
};
