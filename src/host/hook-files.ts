import * as path from 'node:path/posix';
import { type FileStatus, type Files, hostFiles } from './files.ts';

/** Leftovers of editors and package managers, which run-parts(8) passes over, too. */
const leftover = /^\.|~$|\.bak$|\.dpkg-[a-z]+$|\.rpm(?:save|new|orig)$/;

const groupOrOthersWrite = 0o022;
const sticky = 0o1000;
const anyExecute = 0o111;

/** As `LC_ALL=C` sorts: by the bytes of the names. */
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** Executables in a directory in the order in which they are run; empty when it is not there. */
export const listHooks = async (files: Files, directory: string): Promise<readonly string[]> => {
  const names = ((await files.list(directory)) ?? []).filter((name) => !leftover.test(name));
  const found = await Promise.all(
    names.sort(byBytes).map(async (name) => {
      const status = await files.statusFollowed(`${directory}/${name}`);
      return status?.kind === 'file' && (status.mode & anyExecute) !== 0
        ? [`${directory}/${name}`]
        : [];
    }),
  );
  return found.flat();
};

const octal = (mode: number): string => `0${mode.toString(8)}`;

/**
 * The group bits of a file with an access control list are its mask (acl(5)), so that a list which
 * lets somebody write is seen as well.
 *
 * A sticky directory (/tmp) is no danger to what root has in it, except the two in which hooks are:
 * there others could add some.
 *
 * @param below how many names of the path are still to come.
 */
const whyChangeable = (at: string, status: FileStatus, below: number): string | null => {
  if (status.uid !== 0) return `${at} belongs to user ${status.uid} and not to root`;
  // A link has no mode of its own.
  if (status.kind === 'symlink' || (status.mode & groupOrOthersWrite) === 0) return null;
  const guarded = below > 2 && (status.mode & sticky) !== 0;
  return guarded ? null : `others than root may write to ${at} (mode ${octal(status.mode)})`;
};

/** Links that are followed before a path is taken for a loop: path_resolution(7). */
const maxLinks = 40;

/**
 * Why a program may have been put there or changed by others than root; null when only root could.
 * Every directory on the way to it is looked at, and where a link leads, too: who may write to one
 * of them may put something else in its place.
 */
export const whyUntrusted = async (
  program: string,
  files: Files = hostFiles,
): Promise<string | null> => {
  const rest = program.split('/').filter((part) => part !== '');
  let at = '/';
  let links = 0;
  for (;;) {
    const status = await files.status(at);
    if (status === null) return `${at} is not there`;
    const fault = whyChangeable(at, status, rest.length);
    if (fault !== null) return fault;
    if (status.kind === 'symlink') {
      if (++links > maxLinks) return `${program} is a loop of links`;
      const target = (await files.readLink(at)) ?? '';
      rest.unshift(...target.split('/').filter((part) => part !== ''));
      at = target.startsWith('/') ? '/' : path.dirname(at);
      continue;
    }
    const next = rest.shift();
    if (next === undefined) return null;
    at = next === '..' ? path.dirname(at) : path.join(at, next);
  }
};
