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

/** Mount points of the system below that of a file system, as paths without links. */
export const mountPointsBelow = async (
  { mounts, files }: Subject,
  { target }: Place,
): Promise<readonly string[]> => {
  const inside = mounts.filter(
    (mount) =>
      mount.state === 'mount' &&
      mount.target !== target &&
      mount.target.startsWith(target === '/' ? '/' : `${target}/`),
  );
  const found = await Promise.all(inside.map((mount) => files.locate(mount.target)));
  return [...new Set(found.flatMap((one) => one?.path ?? []))];
};

/**
 * A bind mount without what is mounted below shows the file system alone, with all that lies under
 * its mount points. It is made in a mount namespace of its own, and goes with it; a slave one, so that
 * what the host unmounts meanwhile is not kept busy by it.
 */
const alone = 'mount --bind -- "$0" "$0" && exec "$@"';

type Command = { readonly program: string; readonly args: readonly string[] };

const onFileSystem = async (
  subject: Subject,
  place: Place,
  { program, args }: Command,
): Promise<Command> => {
  if ((await mountPointsBelow(subject, place)).length === 0) return { program, args };
  const shell = ['sh', '-c', alone, place.hostPath, program, ...args];
  return { program: 'unshare', args: ['--mount', '--propagation', 'slave', '--', ...shell] };
};

const du = async (
  subject: Subject,
  place: Place,
  words: readonly string[],
): Promise<readonly Used[]> => {
  const plain: Command = {
    program: 'du',
    args: ['--one-file-system', '--null', ...words, '--', place.hostPath],
  };
  const run = async (command: Command): Promise<readonly Used[]> => {
    const { stdout } = await subject.host.run({
      ...command,
      // A directory that a damaged file system refuses to show is left out and is no reason to stop.
      accept: [0, 1, 32],
      timeoutSeconds: walkSeconds,
      changes: false,
    });
    return parseUsage(stdout, subject.root === '/' ? '' : subject.root);
  };
  const command = await onFileSystem(subject, place, plain);
  const found = await run(command);
  // unshare and mount fail with 1 as well, where they are not allowed: then what is seen counts.
  return found.length === 0 && command.program !== plain.program ? run(plain) : found;
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

/** The mount point under which an entry lies out of sight; null for all others. */
export const hiddenUnder = (
  { path }: Pick<Used, 'path'>,
  mountPoints: readonly string[],
): string | null =>
  mountPoints.find((point) => path === point || path.startsWith(`${point}/`)) ?? null;

/** One line for a person: `412 MiB  /var/log/journal`. */
export const usedLine = (
  used: Used,
  unit: 'bytes' | 'entries',
  mountPoints: readonly string[] = [],
): string => {
  const size = unit === 'bytes' ? mebibytes(used.amount) : `${used.amount} entries`;
  const point = hiddenUnder(used, mountPoints);
  const hidden = point === null ? '' : ` (hidden: something is mounted on ${plainText(point)})`;
  return `${size}  ${plainText(used.path).slice(0, 160)}${hidden}`;
};
