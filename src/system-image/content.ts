import type { Files } from '../host/files.ts';
import { firstInside, isDirectoryInside, listInside, locateEntry, statusInside } from './inside.ts';
import { legacyReleasePaths, osReleasePaths } from './os-release.ts';
import type { ContentKind } from './system-facts.ts';
import { tolerantFiles } from './tolerant-files.ts';

type Look = {
  readonly names: readonly string[];
  readonly directory: (path: string) => Promise<boolean>;
  /** Whether there is an entry at all; a link counts, for it may lead to a part not mounted yet. */
  readonly entry: (path: string) => Promise<boolean>;
  readonly list: (path: string) => Promise<readonly string[]>;
};

const lookAt = async (files: Files, mounted: string): Promise<Look> => ({
  names: (await listInside(files, mounted, '/')) ?? [],
  directory: (path) => isDirectoryInside(files, mounted, path),
  entry: async (path) => (await locateEntry(files, mounted, path)) !== null,
  list: async (path) => (await listInside(files, mounted, path)) ?? [],
});

const any = async (paths: readonly string[], test: (path: string) => Promise<boolean>) =>
  (await firstInside(paths, test)) !== null;

/** A separate /usr is not mounted yet: its mount point is an empty directory. */
const usrIsElsewhere = async (look: Look): Promise<boolean> =>
  (await look.directory('/usr')) && (await look.list('/usr')).length === 0;

/**
 * os-release is necessary and not sufficient. Where the fault is that it, or the link /bin, is
 * gone, the accounts and the init speak for the system instead.
 */
const isRoot = async (look: Look): Promise<boolean> => {
  if (!look.names.includes('etc') || !(await look.directory('/etc'))) return false;
  const [programs, tables, accounts, release, init, elsewhere] = await Promise.all([
    any(['/bin', '/usr/bin', '/sbin'], look.entry),
    any(['/etc/fstab', '/etc/hosts'], look.entry),
    look.entry('/etc/passwd'),
    any([...osReleasePaths, ...legacyReleasePaths], look.entry),
    any(
      ['/sbin/init', '/usr/sbin/init', '/init', '/bin/init', '/usr/lib/systemd/systemd'],
      look.entry,
    ),
    usrIsElsewhere(look),
  ]);
  if (!programs || !(tables || accounts)) return false;
  return release || elsewhere || (init && accounts) || (init && tables);
};

const isEsp = async (look: Look): Promise<boolean> => {
  const efi = look.names.find((name) => name.toLowerCase() === 'efi');
  if (efi === undefined) return false;
  const vendors = await look.list(`/${efi}`);
  // An empty `efi` in a /boot partition is only the mount point of the real one.
  return (
    vendors.length > 0 &&
    (await any(
      vendors.map((name) => `/${efi}/${name}`),
      look.directory,
    ))
  );
};

const kernelName =
  /^(?:vmlinuz|vmlinux|bzImage|Image|kernel|initrd|initramfs|System\.map)(?:[-.]|$)/;

/** Whether these names at the top of a file system are of a /boot, where it is no root. */
export const hasBootNames = (names: readonly string[]): boolean =>
  names.some((name) => kernelName.test(name)) ||
  ['grub', 'grub2', 'extlinux', 'syslinux', 'loader'].some((name) => names.includes(name));

const has = (look: Look, ...names: readonly string[]): boolean =>
  names.every((name) => look.names.includes(name));

const hasOne = (look: Look, ...names: readonly string[]): boolean =>
  names.some((name) => look.names.includes(name));

const isUsr = (look: Look): boolean =>
  has(look, 'bin', 'lib') && hasOne(look, 'share', 'sbin', 'libexec') && !has(look, 'etc', 'var');

const isVar = (look: Look): boolean =>
  has(look, 'lib') && hasOne(look, 'log', 'cache', 'spool') && !hasOne(look, 'bin', 'usr', 'etc');

const personal =
  /^\.(?:bashrc|profile|bash_profile|bash_logout|bash_history|zshrc|ssh|config|cache)$/;

const isHome = async (files: Files, mounted: string, look: Look): Promise<boolean> => {
  // A home partition with thousands of people is recognised by the first few.
  const people = look.names.filter((name) => !/^(?:lost\+found|\.)/.test(name)).slice(0, 32);
  const lists = await Promise.all(people.map((name) => look.list(`/${name}`)));
  if (lists.some((names) => names.some((name) => personal.test(name)))) return true;
  // Directories of accounts below 1000 belong to the system, and nobody is 65534.
  const owners = await Promise.all(people.map((name) => statusInside(files, mounted, `/${name}`)));
  return (
    people.length > 0 &&
    owners.every(
      (status) => status?.kind === 'directory' && status.uid >= 1000 && status.uid < 60000,
    )
  );
};

/**
 * What a mounted file system is by its own contents, never by its size, label or place in the
 * partition table. What a damaged file system refuses to show counts as absent; a caller that wants
 * to know passes `tolerantFiles` of its own.
 *
 * @param mounted Host directory where it is mounted, or where a subvolume of it is.
 */
export const contentKind = async (hostFiles: Files, mounted: string): Promise<ContentKind> => {
  const { files } = tolerantFiles(hostFiles);
  const look = await lookAt(files, mounted);
  if (await isRoot(look)) return 'root';
  if (await isEsp(look)) return 'esp';
  if (isUsr(look)) return 'usr';
  if (isVar(look)) return 'var';
  if (hasBootNames(look.names)) return 'boot';
  return (await isHome(files, mounted, look)) ? 'home' : 'unknown';
};
