import { unmountBelow } from '../filesystems/unmount.ts';
import type { Host } from '../host/host.ts';
import { RescueError, refusal } from '../host/rescue-error.ts';
import { removeHalfMade } from './apply-change.ts';
import type { EntryIntent, RecordedChange } from './change-record.ts';
import { type Place, placeOf } from './place.ts';
import { sameEntry } from './same-state.ts';

const command = async (host: Host, program: string, ...args: string[]): Promise<void> => {
  await host.run({ program, args, timeoutSeconds: 600 });
};

/** @throws RescueError `BACKUP_DAMAGED` (1): nothing is touched with a backup that was changed. */
export const requireBackup = async (
  host: Host,
  backup: { readonly file: string; readonly sha256: string },
): Promise<void> => {
  const state = await host.files.entryState(backup.file);
  if (state?.sha256 === backup.sha256) return;
  throw new RescueError({
    code: 'BACKUP_DAMAGED',
    message: `The backup ${backup.file} is ${state === null ? 'missing' : 'not what was written'}.`,
    hint: 'Nothing was put back from it. The session directory was changed since.',
  });
};

const extract = (host: Host, file: string, { directory, name }: Place): Promise<void> =>
  command(
    host,
    'tar',
    '--extract',
    `--file=${file}`,
    '--numeric-owner',
    '--same-owner',
    '--preserve-permissions',
    '--acls',
    '--selinux',
    '--xattrs',
    '--xattrs-include=*',
    '--delay-directory-restore',
    `--directory=${directory.hostPath}`,
    '--',
    `./${name}`,
  );

/** A directory that fstab mounts on is busy now: what was mounted there comes down first. */
const removeEntry = async (host: Host, hostPath: string, kind: string): Promise<void> => {
  if (kind !== 'directory') return command(host, 'rm', '--force', hostPath);
  const unmounted = await unmountBelow(host, hostPath);
  if (unmounted.outcome === 'left') {
    throw new RescueError({
      code: 'UNDO_FAILED',
      message: `${hostPath} cannot be removed: ${unmounted.reason}`,
    });
  }
  return command(host, 'rmdir', hostPath);
};

const changedSince = (path: string): RescueError =>
  refusal(
    'CHANGED_SINCE',
    `${path} was changed after the session did; it is left as it is.`,
    'Look at it. With --force the state from before the session is put back all the same.',
  );

/** A directory keeps what was put into it since; only its attributes are put back. */
const restore = async (host: Host, place: Place, intent: EntryIntent): Promise<void> => {
  const { before, backup, flags } = intent;
  const now = await host.files.entryState(place.hostPath);
  if (now !== null && (before === null || before.kind !== now.kind)) {
    await removeEntry(host, place.hostPath, now.kind);
  }
  if (before === null || backup === null) return;
  await extract(host, backup.file, place);
  for (const flag of flags) await command(host, 'chattr', `+${flag}`, place.hostPath);
};

/**
 * Puts one entry back as it was before the session changed it, with owner, mode, times, ACLs,
 * extended attributes and flags.
 *
 * @param force also where it was changed since.
 * @returns the path, or null when it is already as it was.
 * @throws RescueError `CHANGED_SINCE` (4), `BACKUP_DAMAGED`, `UNDO_FAILED` (1).
 */
export const undoEntry = async (
  host: Host,
  root: string,
  { done }: RecordedChange,
  intent: EntryIntent,
  force: boolean,
): Promise<string | null> => {
  const place = await placeOf(host, root, intent.path);
  await removeHalfMade(host, place.directory.hostPath);
  const now = await host.files.entryState(place.hostPath);
  const flagsGone = intent.flags !== '';
  const isBack = sameEntry(now, intent.before) && now?.modified === intent.before?.modified;
  if (isBack && !flagsGone) return null;
  const isOurs = done !== null && sameEntry(now, done.after);
  // Killed in the midst of it: the old thing is still there, or the new one already is.
  const isUnfinished = done === null;
  if (!isOurs && !isUnfinished && !sameEntry(now, intent.before) && !force) {
    throw changedSince(intent.path);
  }
  if (intent.backup !== null) await requireBackup(host, intent.backup);
  await restore(host, place, intent);
  const back = await host.files.entryState(place.hostPath);
  if (!sameEntry(back, intent.before)) throw notBack(intent.path);
  const { modified, accessed } = intent.directory;
  await command(host, 'touch', '-m', `--date=@${modified}`, place.directory.hostPath);
  await command(host, 'touch', '-a', `--date=@${accessed}`, place.directory.hostPath);
  return intent.path;
};

const notBack = (path: string): RescueError =>
  new RescueError({
    code: 'UNDO_FAILED',
    message: `${path} is not as it was before the session, although it was put back.`,
    hint: 'The backup is kept in the session. Is the disk full or failing?',
  });
