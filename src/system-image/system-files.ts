import type { FileStatus, Files } from '../host/files.ts';
import {
  type Inside,
  isDirectoryInside,
  isFilledInside,
  listInside,
  locateEntry,
  locateInside,
  readBytesInside,
  readForEditInside,
  readInside,
  statusInside,
} from './inside.ts';

/** The files of one system, by the paths that the system itself uses; nothing outside is reached. */
export type SystemFiles = {
  /**
   * Text of a regular file to look at, at most `maxBytes` (1 MiB); null when it is none or is not
   * there. What is behind that or no UTF-8 is lost: `readForEdit` is for what is written back.
   */
  readonly read: (path: string, maxBytes?: number) => Promise<string | null>;
  /**
   * Text of a regular file that is to be written back, or whose copy is: whole, with each byte of it
   * (`losslessText`). Null when it is none or is not there; `NOT_EDITED` is thrown when it is larger
   * than `maxBytes` (16 MiB).
   */
  readonly readForEdit: (path: string, maxBytes?: number) => Promise<string | null>;
  /** Bytes of a regular file from `offsetBytes` (0) on, at most `maxBytes`; else null. */
  readonly bytes: (path: string, maxBytes: number, offsetBytes?: number) => Promise<Buffer | null>;
  /** Names in a directory, sorted; null when there is no such directory. */
  readonly list: (path: string) => Promise<readonly string[] | null>;
  /** Status after following links inside the system; null when absent or dangling. */
  readonly status: (path: string) => Promise<FileStatus | null>;
  /** Where the path leads after following links; null when absent or dangling. */
  readonly locate: (path: string) => Promise<Inside | null>;
  /** The entry itself, also when it is a link (dangling or not). */
  readonly entry: (path: string) => Promise<Inside | null>;
  /** Where a link points, as it is written; null when the entry is no link. */
  readonly link: (path: string) => Promise<string | null>;
  readonly isDirectory: (path: string) => Promise<boolean>;
  /** A regular file with something in it. */
  readonly isFilled: (path: string) => Promise<boolean>;
};

/** @param root host directory where the system is mounted. */
export const systemFiles = (files: Files, root: string): SystemFiles => ({
  read: (path, maxBytes) => readInside(files, root, path, maxBytes),
  readForEdit: (path, maxBytes) => readForEditInside(files, root, path, maxBytes),
  bytes: (path, maxBytes, offsetBytes) => readBytesInside(files, root, path, maxBytes, offsetBytes),
  list: (path) => listInside(files, root, path),
  status: (path) => statusInside(files, root, path),
  locate: (path) => locateInside(files, root, path),
  entry: (path) => locateEntry(files, root, path),
  link: async (path) => {
    const found = await locateEntry(files, root, path);
    return found?.status.kind === 'symlink' ? files.readLink(found.hostPath) : null;
  },
  isDirectory: (path) => isDirectoryInside(files, root, path),
  isFilled: (path) => isFilledInside(files, root, path),
});
