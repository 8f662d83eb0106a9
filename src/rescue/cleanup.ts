import { createHost, type Host } from '../host/host.ts';
import { processesWithEnvironment, sendSignal } from '../host/processes.ts';
import { RescueError, refusal, usageError } from '../host/rescue-error.ts';
import { sessionVariable } from '../host/session-mark.ts';
import { waitUntil } from '../host/wait.ts';
import { hookObservers, type ShowHook } from './hook-words.ts';
import { openJournal } from './journal.ts';
import {
  isSessionId,
  listSessionRecords,
  readSessionRecord,
  type SessionRecord,
  writeSessionFile,
} from './session-record.ts';
import type { StatePaths } from './state-paths.ts';
import { type LeftItem, tearDown } from './teardown.ts';
import { openTranscript } from './transcript.ts';

export type CleanupReport = {
  readonly removed: readonly { readonly session: string; readonly what: string }[];
  readonly left: readonly (LeftItem & { readonly session: string })[];
  readonly hookFailures: readonly { readonly session: string; readonly reason: string }[];
};

/** A checker flushes what it has begun before it ends. */
const endMilliseconds = 30_000;

/** A process whose parent rescuekit was killed goes on by itself: a checker, a mount. */
const endProcesses = async (host: Host, id: string): Promise<void> => {
  const mark = `${sessionVariable}=${id}`;
  const running = async () => processesWithEnvironment(host.files, mark);
  // The container is stopped by its own step, which asks it politely; nspawn only waits for it.
  const helpers = await running();
  const outside = await Promise.all(
    helpers.map(async (pid) => {
      const name = (await host.files.readText(`/proc/${pid}/comm`).catch(() => null))?.trim();
      const isContainer = await inOtherPidNamespace(host, pid);
      return isContainer || name === 'systemd-nspawn' ? [] : [pid];
    }),
  );
  const pids = outside.flat();
  for (const pid of pids) sendSignal(pid, 'SIGTERM');
  const gone = async () => (await running()).every((pid) => !pids.includes(pid));
  if (await waitUntil(gone, endMilliseconds)) return;
  for (const pid of pids) sendSignal(pid, 'SIGKILL');
  await waitUntil(gone, 5000);
};

const inOtherPidNamespace = async (host: Host, pid: number): Promise<boolean> => {
  const [own, its] = await Promise.all(
    ['self', `${pid}`].map((name) => host.files.readLink(`/proc/${name}/ns/pid`).catch(() => null)),
  );
  return its !== null && its !== own;
};

const cleanOne = async (
  paths: StatePaths,
  record: SessionRecord,
  showHook: ShowHook,
): Promise<CleanupReport> => {
  const plain = createHost();
  const transcript = openTranscript(plain.files, `${record.directory}/transcript.jsonl`, plain.now);
  transcript.note('rescuekit cleanup');
  const host = createHost({
    onCommand: transcript.command,
    ...hookObservers(transcript, showHook),
  });
  await endProcesses(host, record.id);
  const journal = await openJournal(host.files, `${record.directory}/journal.jsonl`, host.now);
  const report = await tearDown(host, journal);
  await transcript.flush();
  if (report.left.length === 0) {
    const { state: _state, open: _open, directory, ...file } = record;
    await writeSessionFile(host.files, directory, { ...file, phase: 'closed' });
    for (const name of (await host.files.list(paths.locks)) ?? []) {
      if (name.split('.')[1] === record.id) await host.files.removeFile(`${paths.locks}/${name}`);
    }
  }
  return {
    removed: report.removed.map((what) => ({ session: record.id, what })),
    left: report.left.map((item) => ({ ...item, session: record.id })),
    hookFailures: report.hookFailures.map((reason) => ({ session: record.id, reason })),
  };
};

const chosen = async (
  host: Host,
  paths: StatePaths,
  id: string | null,
): Promise<readonly SessionRecord[]> => {
  if (id === null) {
    const records = await listSessionRecords(host.files, paths);
    return records.filter((record) => record.state === 'left' || record.state === 'up').reverse();
  }
  const record = isSessionId(id) ? await readSessionRecord(host.files, paths, id) : null;
  if (record === null) {
    throw usageError(`There is no session ${id}.`, 'rescuekit status lists the sessions.');
  }
  if (record.state === 'running') {
    throw refusal(
      'RUNNING',
      `Session ${id} is running (${record.command}, pid ${record.owner.pid}).`,
      'Leave it there (exit, Ctrl-C): it takes everything down itself.',
    );
  }
  return [record];
};

/**
 * Takes down what sessions left: all that are not running, or the one that is named. Can be
 * repeated at will.
 *
 * @throws RescueError usage (2) for an unknown session, `RUNNING` (4) for one that is at work.
 */
export const cleanUp = async (
  paths: StatePaths,
  id: string | null,
  showHook: ShowHook,
): Promise<CleanupReport> => {
  const host = createHost();
  const removed: CleanupReport['removed'][number][] = [];
  const left: CleanupReport['left'][number][] = [];
  const hookFailures: CleanupReport['hookFailures'][number][] = [];
  for (const record of await chosen(host, paths, id)) {
    const report = await cleanOne(paths, record, showHook);
    removed.push(...report.removed);
    left.push(...report.left);
    hookFailures.push(...report.hookFailures);
  }
  return { removed, left, hookFailures };
};

/** The record of a session. @throws RescueError usage (2) when there is none. */
export const requireSession = async (
  host: Host,
  paths: StatePaths,
  id: string,
): Promise<SessionRecord> => {
  const record = await readSessionRecord(host.files, paths, id);
  if (record !== null) return record;
  throw new RescueError({
    code: 'NO_SESSION',
    message: `There is no session ${id}.`,
    hint: 'rescuekit status lists the sessions.',
    exit: 2,
  });
};
