import type { Files } from '../host/files.ts';
import { plainText } from '../host/plain-text.ts';

export type TolerantFiles = {
  readonly files: Files;
  /** Host paths that are there and could not be read, in the order of their first failure. */
  readonly unreadable: () => readonly string[];
};

// EIO: the disk; EUCLEAN (117, "structure needs cleaning") and EBADMSG: the file system's own
// checks; EACCES: a device node on a `nodev` mount; the others are what a damaged entry gives.
const damage = new Set(
  'EIO EUCLEAN EBADMSG EACCES EPERM EINVAL ESTALE EOVERFLOW ENAMETOOLONG ELOOP EISDIR ENXIO ENODATA'.split(
    ' ',
  ),
);

const isDamage = (error: unknown): boolean => {
  const { code, errno } = error as NodeJS.ErrnoException;
  // Node has no name for EUCLEAN on every platform and then gives only the number.
  return (code !== undefined && damage.has(code)) || errno === -117 || errno === -74;
};

/**
 * Files for one look at a disk that nobody writes at that time: each status and link is asked for
 * once, and what a damaged file system refuses counts as absent and is remembered, so that one bad
 * block does not hide all the rest.
 */
export const tolerantFiles = (files: Files): TolerantFiles => {
  const failed = new Set<string>();
  const guard =
    <T>(call: (path: string) => Promise<T | null>) =>
    async (path: string): Promise<T | null> => {
      try {
        return await call(path);
      } catch (error) {
        if (!isDamage(error)) throw error;
        failed.add(plainText(path));
        return null;
      }
    };
  const once = <T>(call: (path: string) => Promise<T | null>) => {
    const known = new Map<string, Promise<T | null>>();
    const guarded = guard(call);
    return (path: string): Promise<T | null> => {
      const answer = known.get(path) ?? guarded(path);
      known.set(path, answer);
      return answer;
    };
  };
  return {
    files: {
      ...files,
      status: once(files.status),
      statusFollowed: once(files.statusFollowed),
      readLink: once(files.readLink),
      list: once(files.list),
      readUntrusted: (path, maxBytes, offsetBytes) =>
        guard((same: string) => files.readUntrusted(same, maxBytes, offsetBytes))(path),
    },
    unreadable: () => [...failed],
  };
};
