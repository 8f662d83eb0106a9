import type { FileStatus, Files } from '../host/files.ts';
import { losslessText } from '../host/lossless-text.ts';
import { refusal } from '../host/rescue-error.ts';

/** A file that was found inside a root. */
export type Inside = {
  /** Path on the rescue host, with no symbolic link below the root. */
  readonly hostPath: string;
  /** The same file as the system itself would name it, without links. */
  readonly path: string;
  readonly status: FileStatus;
};

/** Text files of a system are small; a larger one is cut here instead of filling the memory. */
const defaultMaxBytes = 1024 * 1024;

/** Of what is to be written back nothing may be cut: a larger file is not edited. */
const largestEdit = 16 * 1024 * 1024;

/** The kernel's own limits (path_resolution(7)). */
const maxLinks = 40;
const maxPathLength = 4096;

const parts = (path: string): string[] => path.split('/').filter((part) => part !== '');

const join = (root: string, stack: readonly string[]): string =>
  stack.length === 0 ? root : `${root === '/' ? '' : root}/${stack.join('/')}`;

// A NUL cannot be in a path, and one component has at most 255 bytes: the call would throw.
const impossible = (part: string): boolean => part.includes('\0') || Buffer.byteLength(part) > 255;

type Walk = { readonly stack: string[]; readonly todo: string[]; links: number };

const follow = (walk: Walk, target: string): boolean => {
  walk.links += 1;
  if (walk.links > maxLinks || target === '' || target.length > maxPathLength) return false;
  if (target.startsWith('/')) walk.stack.length = 0;
  walk.todo.unshift(...parts(target));
  return walk.todo.length <= maxPathLength;
};

const arrived = async (
  files: Files,
  root: string,
  stack: readonly string[],
): Promise<Inside | null> => {
  const hostPath = join(root, stack);
  // The status at hand may be that of the directory from which `..` or a link led here.
  const status = await (stack.length === 0 ? files.statusFollowed(root) : files.status(hostPath));
  return status === null ? null : { hostPath, path: `/${stack.join('/')}`, status };
};

const walkTo = async (
  files: Files,
  root: string,
  path: string,
  followLast: boolean,
): Promise<Inside | null> => {
  const walk: Walk = { stack: [], todo: parts(path), links: 0 };
  let status = await files.statusFollowed(root);
  while (status !== null) {
    const part = walk.todo.shift();
    if (part === undefined) return arrived(files, root, walk.stack);
    if (status.kind !== 'directory' || impossible(part)) return null;
    if (part === '.') continue;
    if (part === '..') {
      // The parent was a directory when it was entered, and `..` of the root is the root.
      walk.stack.pop();
      continue;
    }
    const hostPath = join(root, [...walk.stack, part]);
    const found = hostPath.length > maxPathLength ? null : await files.status(hostPath);
    if (found?.kind === 'symlink' && (followLast || walk.todo.length > 0)) {
      if (!follow(walk, (await files.readLink(hostPath)) ?? '')) return null;
      continue;
    }
    walk.stack.push(part);
    status = found;
  }
  return null;
};

/**
 * Finds a file as the system on the disk would: an absolute link starts at `root`, `..` stops
 * there, at most 40 links (like openat2(2) with RESOLVE_IN_ROOT, which Node does not offer). The
 * disk is mounted read-only or nobody else writes it, so nothing moves between look and use.
 *
 * @param root Host directory where the root file system is; parts mounted below it are followed.
 * @returns Null when it does not exist, dangles, loops, or goes through something that is no directory.
 */
export const locateInside = (files: Files, root: string, path: string): Promise<Inside | null> =>
  walkTo(files, root, path, true);

/** Like `locateInside`, but a link at the end is itself the answer. */
export const locateEntry = (files: Files, root: string, path: string): Promise<Inside | null> =>
  walkTo(files, root, path, false);

/** Host path of a file inside the root, or null. */
export const resolveInside = async (
  files: Files,
  root: string,
  path: string,
): Promise<string | null> => (await locateInside(files, root, path))?.hostPath ?? null;

/** Status of a file inside the root after following links inside it; null when absent. */
export const statusInside = async (
  files: Files,
  root: string,
  path: string,
): Promise<FileStatus | null> => (await locateInside(files, root, path))?.status ?? null;

/** Bytes of a regular file inside the root from `offsetBytes` on, at most `maxBytes`; else null. */
export const readBytesInside = async (
  files: Files,
  root: string,
  path: string,
  maxBytes: number,
  offsetBytes = 0,
): Promise<Buffer | null> => {
  const found = await locateInside(files, root, path);
  // Looked at before it is opened: opening a device node can do something, or wait.
  return found?.status.kind === 'file'
    ? files.readUntrusted(found.hostPath, maxBytes, offsetBytes)
    : null;
};

/** Text of a regular file inside the root (UTF-8, at most `maxBytes`, by default 1 MiB); else null. */
export const readInside = async (
  files: Files,
  root: string,
  path: string,
  maxBytes: number = defaultMaxBytes,
): Promise<string | null> =>
  (await readBytesInside(files, root, path, maxBytes))?.toString('utf8') ?? null;

const notEdited = (path: string, reason: string) =>
  refusal(
    'NOT_EDITED',
    `${path} is not edited: ${reason}.`,
    'Edit it by hand: `rescuekit rescue TARGET` gives a shell in the system.',
  );

/**
 * Text of a regular file inside the root that is to be edited and written back: whole, and with each
 * byte that is no UTF-8 (`losslessText`); null when there is no such file.
 *
 * @param maxBytes by default 16 MiB.
 * @throws RescueError `NOT_EDITED` (4) for a larger file, or one of which only a part can be read.
 */
export const readForEditInside = async (
  files: Files,
  root: string,
  path: string,
  maxBytes: number = largestEdit,
): Promise<string | null> => {
  const found = await locateInside(files, root, path);
  if (found?.status.kind !== 'file') return null;
  const { sizeBytes } = found.status;
  if (sizeBytes > maxBytes) {
    const [size, most] = [Math.ceil(sizeBytes / 1024), Math.floor(maxBytes / 1024)];
    throw notEdited(path, `it has ${size} KiB, and at most ${most} KiB are edited`);
  }
  const bytes = await files.readUntrusted(found.hostPath, sizeBytes);
  if (bytes?.length !== sizeBytes) throw notEdited(path, 'only a part of it can be read');
  return losslessText(bytes);
};

/** Names in a directory inside the root; null when there is no such directory. */
export const listInside = async (
  files: Files,
  root: string,
  path: string,
): Promise<readonly string[] | null> => {
  const found = await locateInside(files, root, path);
  return found?.status.kind === 'directory' ? files.list(found.hostPath) : null;
};

/** Whether it exists inside the root as a directory, links followed. */
export const isDirectoryInside = async (
  files: Files,
  root: string,
  path: string,
): Promise<boolean> => (await statusInside(files, root, path))?.kind === 'directory';

/** Whether it is a regular file with something in it: a power cut leaves empty ones behind. */
export const isFilledInside = async (
  files: Files,
  root: string,
  path: string,
): Promise<boolean> => {
  const status = await statusInside(files, root, path);
  return status?.kind === 'file' && status.sizeBytes > 0;
};

/** The first of the paths for which the question is answered with yes, asked all at once. */
export const firstInside = async (
  paths: readonly string[],
  matches: (path: string) => Promise<boolean>,
): Promise<string | null> => {
  const answers = await Promise.all(paths.map(matches));
  return paths.find((_, index) => answers[index] === true) ?? null;
};
