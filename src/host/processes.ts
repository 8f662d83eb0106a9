import { z } from 'zod';
import type { Files } from './files.ts';

/**
 * Who a process is, so that a number used again later is not taken for it: process ids are
 * recycled, the start time (clock ticks since boot, proc_pid_stat(5) field 22) with the boot id
 * is not.
 */
export const processIdentitySchema = z.object({
  pid: z.int(),
  startTicks: z.string(),
  bootId: z.string(),
});

export type ProcessIdentity = Readonly<z.infer<typeof processIdentitySchema>>;

const startTicks = async (files: Files, pid: number): Promise<string | null> => {
  const stat = await files.readText(`/proc/${pid}/stat`).catch(() => null);
  if (stat === null) return null;
  // The command name in parentheses may hold spaces and parentheses itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // Z and X: dead, only not yet collected by their parent.
  return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
};

/** Another one each time the machine is started. */
export const readBootId = async (files: Files): Promise<string> =>
  ((await files.readText('/proc/sys/kernel/random/boot_id')) ?? '').trim();

/** Null when the process does not exist. */
export const identify = async (files: Files, pid: number): Promise<ProcessIdentity | null> => {
  const ticks = await startTicks(files, pid);
  return ticks === null ? null : { pid, startTicks: ticks, bootId: await readBootId(files) };
};

/** True while the very same process is running. */
export const isAlive = async (files: Files, identity: ProcessIdentity): Promise<boolean> => {
  const now = await identify(files, identity.pid);
  return now?.startTicks === identity.startTicks && now.bootId === identity.bootId;
};

/** All process ids of this machine, the containers' included. */
export const listProcesses = async (files: Files): Promise<readonly number[]> =>
  ((await files.list('/proc')) ?? []).filter((name) => /^\d+$/.test(name)).map(Number);

/** A process may end while it is looked at; ESRCH and EACCES then mean "nothing to see". */
export const readProcess = (files: Files, pid: number, name: string): Promise<string | null> =>
  files.readText(`/proc/${pid}/${name}`).catch(() => null);

/** Processes whose initial environment holds `NAME=value` exactly. */
export const processesWithEnvironment = async (
  files: Files,
  variable: string,
): Promise<readonly number[]> => {
  const found = await Promise.all(
    (await listProcesses(files)).map(async (pid) => {
      const environ = await readProcess(files, pid, 'environ');
      return environ?.split('\0').includes(variable) === true ? [pid] : [];
    }),
  );
  return found.flat().filter((pid) => pid !== process.pid);
};

/** Sends a signal; false when the process is already gone. */
export const sendSignal = (pid: number, signal: NodeJS.Signals | number): boolean => {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
};
