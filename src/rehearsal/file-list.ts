import type { Host } from '../host/host.ts';

/** One entry of a tree as the kernel's status has it. */
export type ListedFile = {
  readonly kind: 'file' | 'directory' | 'symlink' | 'other';
  readonly bytes: number;
  readonly mode: string;
  readonly owner: string;
  readonly modifiedAt: string;
  readonly changedAt: string;
  /** Where a symbolic link leads; empty for everything else. */
  readonly link: string;
};

/** By path inside the tree, beginning with a slash. */
export type FileList = ReadonlyMap<string, ListedFile>;

const kinds: Readonly<Record<string, ListedFile['kind']>> = {
  f: 'file',
  d: 'directory',
  l: 'symlink',
};

/** find(1): path, type, size, mode, owner, times, link; each ended by a zero byte, as no name is. */
const format = ['%P', '%y', '%s', '%m', '%U:%G', '%T@', '%C@', '%l']
  .map((field) => `${field}\\0`)
  .join('');

const fieldCount = 8;

/** Parses what find wrote. */
export const parseFileList = (text: string): FileList => {
  const fields = text.split('\0');
  const list = new Map<string, ListedFile>();
  for (let at = 0; at + fieldCount < fields.length + 1; at += fieldCount) {
    const [path, type, size, mode, owner, modifiedAt, changedAt, link] = fields.slice(
      at,
      at + fieldCount,
    );
    if (path === undefined || link === undefined || path === '') continue;
    list.set(`/${path}`, {
      kind: kinds[type ?? ''] ?? 'other',
      bytes: Number(size),
      mode: mode ?? '',
      owner: owner ?? '',
      modifiedAt: modifiedAt ?? '',
      changedAt: changedAt ?? '',
      link,
    });
  }
  return list;
};

/**
 * Lists a mounted system with all that is mounted below it. Only statuses are read, and no link is
 * followed.
 *
 * @param scratch a file of the session's own, removed afterwards.
 */
export const listFiles = async (host: Host, root: string, scratch: string): Promise<FileList> => {
  await host.run({
    program: 'find',
    // 1: a directory of a damaged file system could not be read; the rest is listed.
    args: ['-P', root, '-fprintf', scratch, format],
    accept: [0, 1],
    timeoutSeconds: 0,
    changes: false,
  });
  try {
    return parseFileList((await host.files.readText(scratch)) ?? '');
  } finally {
    await host.files.removeFile(scratch);
  }
};

/** Paths that one list has and the other has not, or has otherwise, in order. */
export const differingPaths = (before: FileList, after: FileList): readonly string[] => {
  const paths: string[] = [];
  for (const [path, now] of after) {
    const old = before.get(path);
    if (old === undefined || !isSame(old, now)) paths.push(path);
  }
  for (const path of before.keys()) if (!after.has(path)) paths.push(path);
  return paths.sort();
};

/** The times of a directory change with its entries, which are listed themselves. */
const isSame = (one: ListedFile, other: ListedFile): boolean => {
  const same = one.kind === other.kind && one.mode === other.mode && one.owner === other.owner;
  if (!same || one.kind === 'directory') return same;
  return (
    one.bytes === other.bytes &&
    one.modifiedAt === other.modifiedAt &&
    one.changedAt === other.changedAt &&
    one.link === other.link
  );
};
