import type { Files } from '../host/files.ts';
import { elfInside } from './elf.ts';
import { isDirectoryInside, locateInside } from './inside.ts';
import type { SystemFacts } from './system-facts.ts';

type Known = Pick<SystemFacts, 'os' | 'init' | 'initPath'>;

const topNames = (known: Known): readonly string[] => {
  const always = ['/bin', '/dev', '/etc', '/proc', '/sys'];
  // NixOS keeps everything under /nix, and a busybox tree may consist of one program.
  if (known.os.id === 'nixos' || known.init === 'busybox') return always;
  const systemd = known.init === 'systemd' ? ['/run'] : [];
  return [...always, '/lib', ...systemd, '/sbin', '/tmp', '/usr', '/var'];
};

/** The dynamic loader's directory: without it no program of the system starts. */
const loaderDirectory = async (
  files: Files,
  root: string,
  initPath: string | null,
): Promise<string | null> => {
  const programs = [initPath, '/usr/lib/systemd/systemd', '/usr/bin/bash', '/bin/sh'];
  const elves = await Promise.all(
    programs.map((path) => (path === null ? null : elfInside(files, root, path))),
  );
  const interpreter = elves.find((elf) => elf?.interpreter?.startsWith('/'))?.interpreter ?? null;
  if (interpreter === null || (await locateInside(files, root, interpreter)) !== null) return null;
  const top = /^\/[^/]+/.exec(interpreter)?.[0] ?? null;
  const topIsThere = top !== null && (await isDirectoryInside(files, root, top));
  return topIsThere ? interpreter : top;
};

/**
 * Names that this system needs and that are absent or dangle. Looked at before a container is
 * started: systemd-nspawn makes missing top-level links itself, and the fault vanishes from view.
 */
export const findMissing = async (
  files: Files,
  root: string,
  known: Known,
): Promise<readonly string[]> => {
  const names = topNames(known);
  const [there, loader] = await Promise.all([
    Promise.all(names.map((name) => isDirectoryInside(files, root, name))),
    loaderDirectory(files, root, known.initPath),
  ]);
  const missing = names.filter((_, index) => there[index] === false);
  return [...new Set([...missing, ...(loader === null ? [] : [loader])])].sort();
};

const libraries: readonly string[] = [
  '/usr/lib/systemd/systemd',
  '/usr/bin/sh',
  '/usr/bin/ls',
  '/lib64/libc.so.6',
  '/lib/x86_64-linux-gnu/libc.so.6',
  '/lib/aarch64-linux-gnu/libc.so.6',
  '/lib/libc.so.6',
];

/** The machine that the system's programs are for: its init's, else its shell's, else its libc's. */
export const findArchitecture = async (
  files: Files,
  root: string,
  programs: readonly (string | null)[],
): Promise<string | null> => {
  const paths = [...programs.filter((path) => path !== null), ...libraries];
  const elves = await Promise.all(paths.map((path) => elfInside(files, root, path)));
  return elves.find((elf) => elf !== null)?.machine ?? null;
};

/** SELinux is on, enforcing or permissive: files changed from outside then lack their labels. */
export const selinuxIsOn = (config: string | null): boolean =>
  /^\s*SELINUX=\s*(?:enforcing|permissive)\s*$/m.test(config ?? '');
