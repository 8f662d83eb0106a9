import type { Host } from '../../host/host.ts';
import { processesWithEnvironment, readProcess, sendSignal } from '../../host/processes.ts';
import { sessionVariable } from '../../host/session-mark.ts';
import { gone, type UndoResult, undone } from '../../host/undo-result.ts';
import { waitUntil } from '../../host/wait.ts';

/** QEMU ends at once after SIGTERM, unless it waits for a disk that does not answer. */
const termMilliseconds = 10_000;
const killMilliseconds = 5_000;

/** The name in /proc has at most fifteen characters. */
const isQemu = (name: string): boolean => name.startsWith('qemu-system');

/** Machines of the session, also when the rescuekit that started them was killed. */
const machinesOf = async (host: Host, session: string): Promise<readonly number[]> => {
  const marked = await processesWithEnvironment(host.files, `${sessionVariable}=${session}`);
  const names = await Promise.all(marked.map((pid) => readProcess(host.files, pid, 'comm')));
  return marked.filter((_, index) => isQemu(names[index] ?? ''));
};

/** Ends the virtual machines of a session; done when no process of them is left. */
export const stopVm = async (host: Host, session: string): Promise<UndoResult> => {
  const pids = await machinesOf(host, session);
  if (pids.length === 0) return gone;
  const isGone = async () => (await machinesOf(host, session)).length === 0;
  for (const pid of pids) sendSignal(pid, 'SIGTERM');
  if (await waitUntil(isGone, termMilliseconds)) return undone;
  for (const pid of pids) sendSignal(pid, 'SIGKILL');
  if (await waitUntil(isGone, killMilliseconds)) return undone;
  return { outcome: 'left', reason: `QEMU (${pids.join(', ')}) does not end` };
};
