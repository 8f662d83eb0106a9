import type { Files } from '../host/files.ts';
import { elfInside } from './elf.ts';
import {
  type Inside,
  isDirectoryInside,
  listInside,
  locateInside,
  readBytesInside,
  readInside,
} from './inside.ts';
import type { Init } from './system-facts.ts';

export type InitFacts = {
  readonly init: Init;
  /** The path by which it is started: busybox is an init only when it is called by that name. */
  readonly initPath: string | null;
  readonly systemdVersion: number | null;
};

// The kernel's own order (init/main.c), then where systemd is when the links to it are gone, then
// the init of a rescue image.
const initPaths = [
  '/sbin/init',
  '/usr/sbin/init',
  '/etc/init',
  '/bin/init',
  '/usr/bin/init',
  '/usr/lib/systemd/systemd',
  '/lib/systemd/systemd',
  '/sbin/openrc-init',
  '/init',
] as const;

const executable = (found: Inside | null): boolean =>
  found?.status.kind === 'file' && found.status.sizeBytes > 0 && (found.status.mode & 0o111) !== 0;

/** A program inside the root that exists, is not empty and may be executed. */
export const programInside = async (
  files: Files,
  root: string,
  path: string,
): Promise<Inside | null> => {
  const found = await locateInside(files, root, path);
  return executable(found) ? found : null;
};

const startsOpenrc = (inittab: string | null): boolean =>
  inittab?.split('\n').some((line) => !/^\s*#/.test(line) && /\bopenrc\b/.test(line)) ?? false;

/** OpenRC is started by sysvinit or busybox: the inittab calls it, or Debian's rcS does. */
const isOpenrc = async (files: Files, root: string, inittab: string | null): Promise<boolean> => {
  const [openrc, rcS, runlevels] = await Promise.all([
    Promise.all(
      ['/sbin/openrc', '/usr/sbin/openrc', '/usr/bin/openrc'].map((path) =>
        programInside(files, root, path),
      ),
    ),
    readInside(files, root, '/etc/init.d/rcS'),
    isDirectoryInside(files, root, '/etc/runlevels'),
  ]);
  if (openrc.every((found) => found === null)) return false;
  return startsOpenrc(inittab) || (runlevels && startsOpenrc(rcS));
};

const isUpstart = async (files: Files, root: string): Promise<boolean> =>
  (await listInside(files, root, '/etc/init'))?.some((name) => name.endsWith('.conf')) ?? false;

const kindOf = async (files: Files, root: string, program: Inside): Promise<Init> => {
  const name = program.path.split('/').at(-1) ?? '';
  if (name === 'systemd') return 'systemd';
  if (name === 'openrc-init') return 'openrc';
  const inittab = await readInside(files, root, '/etc/inittab');
  if (await isOpenrc(files, root, inittab)) return 'openrc';
  if (name.startsWith('busybox')) return 'busybox';
  const isElf = (await elfInside(files, root, program.path)) !== null;
  const sysvinit = isElf && /^(?:init|sysvinit|init\.sysvinit)$/.test(name) && inittab !== null;
  return sysvinit && !(await isUpstart(files, root)) ? 'sysvinit' : 'unknown';
};

const versionIn = (names: readonly string[] | null): number | null => {
  for (const name of names ?? []) {
    const version = /^libsystemd-shared-(\d{3})\b.*\.so$/.exec(name)?.[1];
    if (version !== undefined) return Number(version);
  }
  return null;
};

// Before 231 there was no such library; the program itself holds "systemd 219 running in …".
const oldVersion = async (files: Files, root: string, path: string): Promise<number | null> => {
  const bytes = await readBytesInside(files, root, path, 8 * 1024 * 1024);
  const match =
    bytes === null ? null : /systemd (\d{2,3}) running in /.exec(bytes.toString('latin1'));
  return match?.[1] === undefined ? null : Number(match[1]);
};

const systemdVersionOf = async (
  files: Files,
  root: string,
  program: string,
): Promise<number | null> => {
  const libraries = ((await listInside(files, root, '/usr/lib')) ?? []).filter((name) =>
    name.includes('-linux-'),
  );
  const places = [
    '/usr/lib/systemd',
    '/lib/systemd',
    '/usr/lib64/systemd',
    // Debian keeps it with the other libraries of the architecture since version 252.
    ...libraries.map((name) => `/usr/lib/${name}/systemd`),
  ];
  const lists = await Promise.all(places.map((place) => listInside(files, root, place)));
  const versions = lists.map(versionIn).filter((version) => version !== null);
  return versions[0] ?? oldVersion(files, root, program);
};

/** Finds the program that the kernel would start as init, and what it is. */
export const findInit = async (files: Files, root: string): Promise<InitFacts> => {
  const found = await Promise.all(initPaths.map((path) => programInside(files, root, path)));
  const index = found.findIndex((program) => program !== null);
  const [initPath, program] = [initPaths[index] ?? null, found[index] ?? null];
  if (initPath === null || program === null) {
    return { init: 'unknown', initPath: null, systemdVersion: null };
  }
  const init = await kindOf(files, root, program);
  const systemdVersion =
    init === 'systemd' ? await systemdVersionOf(files, root, program.path) : null;
  return { init, initPath, systemdVersion };
};
