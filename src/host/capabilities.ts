import { machine } from 'node:os';
import type { Host } from './host.ts';
import { missingProgram } from './packages.ts';
import { RescueError } from './rescue-error.ts';

/** `uname -m` of the rescue host. */
export const hostMachine = (): string => machine();

/** systemd is PID 1: sd_booted(3) looks for the same directory. */
export const hostHasSystemd = async (host: Host): Promise<boolean> =>
  (await host.files.status('/run/systemd/system')) !== null;

const searchPath = (): readonly string[] => [
  ...(process.env.PATH ?? '').split(':').filter((directory) => directory.startsWith('/')),
  '/usr/local/sbin',
  '/usr/sbin',
  '/sbin',
  '/usr/bin',
  '/bin',
];

/**
 * Makes sure that programs are installed before anything is touched.
 *
 * @throws RescueError `MISSING_PROGRAM` naming the package on this distribution.
 */
export const requirePrograms = async (host: Host, programs: readonly string[]): Promise<void> => {
  for (const program of programs) {
    const found = await Promise.all(
      searchPath().map((directory) => host.files.statusFollowed(`${directory}/${program}`)),
    );
    if (found.every((status) => status === null)) {
      throw missingProgram(program, (await host.files.readText('/etc/os-release')) ?? '');
    }
  }
};

/** @throws RescueError `NOT_ROOT`: block devices, mounts and containers are root's. */
export const requireRoot = (command: string): void => {
  if (process.getuid?.() === 0) return;
  throw new RescueError({
    code: 'NOT_ROOT',
    message: `rescuekit ${command} needs root: it opens disks, mounts and starts containers.`,
    hint: `Run it again with: sudo rescuekit ${command} …`,
  });
};

const binfmtDirectory = '/proc/sys/fs/binfmt_misc';

/**
 * Whether the kernel starts programs of this architecture through qemu-user in a container: an
 * enabled binfmt_misc entry whose interpreter was opened beforehand (flag F), because the
 * interpreter's path does not exist inside.
 */
export const hasBinfmt = async (host: Host, architecture: string): Promise<boolean> => {
  const name = binfmtNames[architecture] ?? architecture;
  const text = await host.files.readText(`${binfmtDirectory}/qemu-${name}`);
  return text !== null && /^enabled$/m.test(text) && /^flags:.*F/m.test(text);
};

/** qemu's names where they differ from `uname -m`. */
const binfmtNames: Readonly<Record<string, string>> = {
  i686: 'i386',
  armv7l: 'arm',
  armv6l: 'arm',
  armv5l: 'arm',
};
