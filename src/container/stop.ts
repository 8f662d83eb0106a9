import type { Host } from '../host/host.ts';
import {
  identify,
  isAlive,
  processesWithEnvironment,
  readProcess,
  sendSignal,
} from '../host/processes.ts';
import { sessionVariable } from '../host/session-mark.ts';
import { gone, leftBusy, type UndoResult, undone } from '../host/undo-result.ts';
import { waitUntil } from '../host/wait.ts';

/** Time for the system inside to stop its services after it was asked to power off. */
const poweroffMilliseconds = 15_000;
const killMilliseconds = 5_000;

/** PID 1 of a systemd takes SIGRTMIN+4 as "power off" (systemd(1), section Signals). */
const sigrtminPlus4 = 38;

/** True for the first process of a PID namespace other than ours: proc_pid_status(5), NSpid. */
const isContainerInit = async (host: Host, pid: number): Promise<boolean> => {
  const status = await readProcess(host.files, pid, 'status');
  const ids = /^NSpid:\s+(.*)$/m.exec(status ?? '')?.[1]?.split(/\s+/) ?? [];
  return ids.length > 1 && ids.at(-1) === '1';
};

/** The PID 1 of the session's container; null when it is not running. */
export const findContainerInit = async (host: Host, session: string): Promise<number | null> => {
  const marked = await processesWithEnvironment(host.files, `${sessionVariable}=${session}`);
  for (const pid of marked) if (await isContainerInit(host, pid)) return pid;
  return null;
};

const namespaceIsEmpty = async (host: Host, session: string): Promise<boolean> =>
  (await processesWithEnvironment(host.files, `${sessionVariable}=${session}`)).length === 0;

/**
 * Stops the container of a session, also when its systemd-nspawn was killed: then the container's
 * PID 1 lives on, keeps the disk busy, and is seen in no mount table of the host.
 *
 * First it is asked to power off, then killed; done is it when no process of it is left.
 */
export const stopContainer = async (
  host: Host,
  { machine, session }: { readonly machine: string; readonly session: string },
): Promise<UndoResult> => {
  if (await namespaceIsEmpty(host, session)) return gone;
  const empty = () => namespaceIsEmpty(host, session);
  const init = await findContainerInit(host, session);
  if (init !== null) {
    const identity = await identify(host.files, init);
    // All others of the namespace go with its PID 1. To look at every process of the machine again
    // and again would take from a small one the time in which the system stops.
    const ended = async () =>
      (identity === null || !(await isAlive(host.files, identity))) && (await empty());
    sendSignal(init, sigrtminPlus4);
    if (await waitUntil(ended, poweroffMilliseconds)) return undone;
  }
  // The death of its PID 1 makes the kernel kill all others of the namespace. What is left is
  // nspawn itself and the helpers that it started.
  for (const pid of await processesWithEnvironment(host.files, `${sessionVariable}=${session}`)) {
    sendSignal(pid, 'SIGKILL');
  }
  if (await waitUntil(empty, killMilliseconds)) return undone;
  return leftBusy(host, `container ${machine}`, { path: null, majorMinor: null });
};
