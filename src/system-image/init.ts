import type { Files } from '../host/files.ts';
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

/** Programs are read whole: systemd's has about 1.5 MB where it is linked in one piece. */
const maxProgramBytes = 8 * 1024 * 1024;

const textOf = async (files: Files, root: string, program: Inside): Promise<string> =>
  (await readBytesInside(files, root, program.path, maxProgramBytes))?.toString('latin1') ?? '';

/**
 * A program called `init` is known by what it holds: a rescue image has a copy of systemd under
 * that name, and both systemd's and sysvinit's come with tables of the other kinds beside them.
 */
const kindOfProgram = (text: string): Init => {
  if (!text.startsWith('\x7fELF')) return 'unknown';
  if (/libsystemd-(?:core|shared)|systemd \d+\S* running in /.test(text)) return 'systemd';
  if (text.includes('BusyBox v')) return 'busybox';
  return text.includes('/etc/inittab') && !text.includes('upstart') ? 'sysvinit' : 'unknown';
};

const kindOf = async (files: Files, root: string, program: Inside): Promise<Init> => {
  const name = program.path.split('/').at(-1) ?? '';
  if (name === 'systemd') return 'systemd';
  if (name === 'openrc-init') return 'openrc';
  const kind = name.startsWith('busybox')
    ? 'busybox'
    : kindOfProgram(await textOf(files, root, program));
  if (kind !== 'busybox' && kind !== 'sysvinit') return kind;
  const inittab = await readInside(files, root, '/etc/inittab');
  return (await isOpenrc(files, root, inittab)) ? 'openrc' : kind;
};

const versionIn = (names: readonly string[] | null): number | null => {
  for (const name of names ?? []) {
    const version = /^libsystemd-shared-(\d{3})\b.*\.so$/.exec(name)?.[1];
    if (version !== undefined) return Number(version);
  }
  return null;
};

/**
 * The program names the libraries of its own version that it is linked to. Before 231 there were
 * none: then it holds "systemd 219 running in …".
 */
const versionOfProgram = (text: string): number | null => {
  const match =
    /libsystemd-(?:core|shared)-(\d{3})/.exec(text) ??
    /systemd (\d{2,3})\S* running in /.exec(text);
  return match?.[1] === undefined ? null : Number(match[1]);
};

const systemdVersionOf = async (
  files: Files,
  root: string,
  program: Inside,
): Promise<number | null> => {
  const own = versionOfProgram(await textOf(files, root, program));
  if (own !== null) return own;
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
  return versions[0] ?? null;
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
  const systemdVersion = init === 'systemd' ? await systemdVersionOf(files, root, program) : null;
  return { init, initPath, systemdVersion };
};
