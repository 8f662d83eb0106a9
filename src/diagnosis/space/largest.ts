import { plainText } from '../../host/plain-text.ts';
import type { Subject } from '../subject.ts';
import type { Place } from './places.ts';

export type Used = {
  /** Path of the system. */
  readonly path: string;
  /** Bytes on the disk, or inodes. */
  readonly amount: number;
  readonly isDirectory: boolean;
};

/** A walk over millions of files on a slow disk is not worth waiting for. */
const walkSeconds = 60;

/**
 * Parses the output of `du --null`, sizes and host paths.
 *
 * @param hostRoot what the paths begin with instead of the system's root.
 */
export const parseUsage = (output: string, hostRoot: string): readonly Used[] => {
  const all = output.split('\0').flatMap((record) => {
    const [, amount, hostPath] = /^(\d+)\t(.*)$/s.exec(record) ?? [];
    if (amount === undefined || hostPath === undefined || !hostPath.startsWith(hostRoot)) return [];
    return [{ path: hostPath.slice(hostRoot.length) || '/', amount: Number(amount) }];
  });
  const parents = new Set(all.map(({ path }) => path.slice(0, path.lastIndexOf('/')) || '/'));
  return all.map((one) => ({ ...one, isDirectory: parents.has(one.path) }));
};

/**
 * What is worth naming: the largest entries, and of a chain of directories only the last one that holds
 * nearly all of it.
 */
export const worthNaming = (all: readonly Used[], count: number): readonly Used[] => {
  const mostlyOneChild = ({ path, amount }: Used): boolean =>
    all.some(
      (other) =>
        other.path !== path &&
        other.path.startsWith(path === '/' ? '/' : `${path}/`) &&
        other.amount > amount * 0.8,
    );
  return all
    .filter((one) => one.path !== '/' && !mostlyOneChild(one))
    .toSorted((one, other) => other.amount - one.amount)
    .slice(0, count);
};

const du = async (subject: Subject, place: Place, words: readonly string[]) => {
  const { stdout } = await subject.host.run({
    program: 'du',
    args: ['--one-file-system', '--null', ...words, '--', place.hostPath],
    // A directory that a damaged file system refuses to show is left out and is no reason to stop.
    accept: [0, 1],
    timeoutSeconds: walkSeconds,
    changes: false,
  });
  const { root } = subject;
  return parseUsage(stdout, root === '/' ? '' : root);
};

/** Files and directories that take up most of a file system; it is never left. */
export const largestEntries = async (subject: Subject, place: Place): Promise<readonly Used[]> => {
  const threshold = Math.max(64 * 1024, Math.floor(place.space.sizeBytes / 200));
  return du(subject, place, ['--all', '--block-size=1', `--threshold=${threshold}`]);
};

/** Directories with the most entries in them. */
export const mostInodes = async (subject: Subject, place: Place): Promise<readonly Used[]> =>
  du(subject, place, [
    '--inodes',
    `--threshold=${Math.max(50, Math.floor(place.space.inodes / 100))}`,
  ]);

export const mebibytes = (bytes: number): string => {
  const value = bytes / 2 ** 20;
  return value >= 10 || value === 0 ? `${Math.round(value)} MiB` : `${value.toFixed(1)} MiB`;
};

/** One line for a person: `412 MiB  /var/log/journal`. */
export const usedLine = ({ path, amount }: Used, unit: 'bytes' | 'entries'): string =>
  `${unit === 'bytes' ? mebibytes(amount) : `${amount} entries`}  ${plainText(path).slice(0, 160)}`;
