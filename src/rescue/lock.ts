import type { Files } from '../host/files.ts';
import { readBootId } from '../host/processes.ts';
import { refusal } from '../host/rescue-error.ts';
import { readSessionRecord, type SessionRecord } from './session-record.ts';
import type { StatePaths } from './state-paths.ts';

/** `shared`: others may look too. `exclusive`: the session may write. */
export type LockMode = 'shared' | 'exclusive';

type LockFile = { readonly name: string; readonly session: string; readonly mode: string };

const parseName = (name: string, key: string): LockFile | null => {
  const [itsKey, session, mode] = name.split('.');
  return itsKey === key && session !== undefined && mode !== undefined
    ? { name, session, mode }
    : null;
};

/**
 * The kernel numbers devices anew with every start of the machine: the number may be another disk's
 * now, and nothing that was up is up. A disk that is half written is known by what it is
 * (`half-written.ts`).
 */
const isOutlived = async (files: Files, key: string, { owner }: SessionRecord): Promise<boolean> =>
  /^(block|stack)-/.test(key) && owner.bootId !== (await readBootId(files));

/**
 * Locks one target for a session by a file in the state directory. The own file is made first and
 * the others are looked at afterwards: of two that come at once, each sees the other.
 *
 * A lock of a session that is closed, or whose process was killed with nothing left up, is stale
 * and removed. So is the lock of a device that was made before the machine was started anew.
 *
 * @param key names the target: `8-16` for a block device, `dev-inode` for a file or directory.
 * @throws RescueError `LOCKED` (exit code 4) naming the session that has it.
 */
export const acquireLock = async (
  files: Files,
  paths: StatePaths,
  lock: { readonly key: string; readonly session: string; readonly mode: LockMode },
): Promise<string> => {
  await files.ensureDirectory(paths.locks, 0o700);
  const own = `${lock.key}.${lock.session}.${lock.mode}`;
  await files.createExclusive(`${paths.locks}/${own}`, '', 0o600);
  const others = ((await files.list(paths.locks)) ?? [])
    .flatMap((name) => parseName(name, lock.key) ?? [])
    .filter((other) => other.session !== lock.session);
  for (const other of others) {
    if (lock.mode === 'shared' && other.mode === 'shared') continue;
    const record = await readSessionRecord(files, paths, other.session);
    if (
      record === null ||
      record.state === 'closed' ||
      (await isOutlived(files, lock.key, record))
    ) {
      await files.removeFile(`${paths.locks}/${other.name}`);
      continue;
    }
    await files.removeFile(`${paths.locks}/${own}`);
    throw lockedBy(other.session, record.state, record.command);
  }
  return `${paths.locks}/${own}`;
};

const lockedBy = (session: string, state: string, command: string) => {
  const why =
    state === 'running'
      ? `Session ${session} (${command}) is working on this target.`
      : state === 'up'
        ? `This target is mounted by session ${session}.`
        : `Session ${session} has ended and left this target in use.`;
  const hint =
    state === 'running'
      ? `Wait for it to end; rescuekit status shows it.`
      : `Take it down first: rescuekit cleanup ${session}`;
  return refusal('LOCKED', why, hint);
};
