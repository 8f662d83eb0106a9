import type { Files } from './files.ts';

/** One line of /proc/PID/mountinfo (proc_pid_mountinfo(5)). */
export type Mount = {
  readonly id: number;
  readonly parentId: number;
  /** `major:minor` of the superblock; `0:NN` for file systems without one device (btrfs, overlay). */
  readonly majorMinor: string;
  /** Path inside the file system that is mounted, `/` unless bind mount or subvolume. */
  readonly rootInside: string;
  readonly path: string;
  readonly options: readonly string[];
  readonly fsType: string;
  readonly source: string;
  readonly superOptions: readonly string[];
};

/** The kernel writes space, tab, newline and backslash as three octal digits. */
export const unescapeOctal = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );

const parseLine = (line: string): Mount | null => {
  // Optional fields stand between the sixth field and a lone hyphen.
  const [head, tail] = line.split(' - ', 2);
  const left = (head ?? '').split(' ');
  const right = (tail ?? '').split(' ');
  const [id, parentId, majorMinor, rootInside, path, options] = left;
  const [fsType, source, superOptions] = right;
  if (id === undefined || majorMinor === undefined || path === undefined) return null;
  return {
    id: Number(id),
    parentId: Number(parentId),
    majorMinor,
    rootInside: unescapeOctal(rootInside ?? '/'),
    path: unescapeOctal(path),
    options: (options ?? '').split(','),
    fsType: fsType ?? '',
    source: unescapeOctal(source ?? ''),
    superOptions: (superOptions ?? '').split(','),
  };
};

/** Parses the text of a mountinfo file, in the order in which the kernel lists the mounts. */
export const parseMountInfo = (text: string): readonly Mount[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => parseLine(line) ?? []);

/** The mounts that a process sees; empty when the process is gone. */
export const readMounts = async (
  files: Files,
  pid: number | 'self' = 'self',
): Promise<readonly Mount[]> =>
  parseMountInfo((await files.readText(`/proc/${pid}/mountinfo`)) ?? '');

/** True when `path` is `directory` or lies below it. */
export const isBelow = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`);

/** The mount that a path lies in; the last of several at one place hides the others. */
export const mountHolding = (mounts: readonly Mount[], path: string): Mount | null =>
  mounts
    .filter((mount) => isBelow(path, mount.path))
    .reduce<Mount | null>(
      (best, mount) => (best === null || mount.path.length >= best.path.length ? mount : best),
      null,
    );
