import { unmountBelow } from '../filesystems/unmount.ts';
import type { EntryState } from '../host/entry-state.ts';
import type { Host } from '../host/host.ts';
import { RescueError, refusal } from '../host/rescue-error.ts';
import { isNoSpace, removeHalfMade } from './apply-change.ts';
import type { EntryIntent, RecordedChange } from './change-record.ts';
import { readFlags } from './file-flags.ts';
import { keepAll } from './keep-all.ts';
import { isOnRoot, type Place, placeOf } from './place.ts';
import { sameEntry } from './same-state.ts';
import { temporaryName } from './temporary-name.ts';

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

const extract = (host: Host, file: string, directory: string, name: string): Promise<void> =>
  command(
    host,
    'tar',
    '--extract',
    `--file=${file}`,
    '--same-owner',
    '--preserve-permissions',
    ...keepAll,
    '--delay-directory-restore',
    `--directory=${directory}`,
    '--',
    `./${name}`,
  );

/**
 * Puts a file or link in its place in one step, so that a kill leaves either the one or the other; on
 * a full disk there is no room for both.
 */
const replace = async (host: Host, file: string, place: Place, isFile: boolean): Promise<void> => {
  const { directory, name, hostPath } = place;
  const beside = `${directory.hostPath}/${temporaryName()}`;
  try {
    await host.files.makeDirectory(beside, 0o700);
    await extract(host, file, beside, name);
    // A link has no content, and sync(1) would follow it.
    if (isFile) await command(host, 'sync', `${beside}/${name}`);
    await command(host, 'mv', '--no-target-directory', '--force', `${beside}/${name}`, hostPath);
  } catch (error) {
    if (!isNoSpace(error)) throw error;
    // The directory itself takes a block and an inode, which may be the last ones.
    await host.files.removeTree(beside);
    // What was freed may be taken again only when it is on the disk that it is free (ext4, XFS).
    await command(host, 'sync', '--file-system', directory.hostPath);
    await extract(host, file, directory.hostPath, name);
  } finally {
    await host.files.removeTree(beside);
  }
};

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
  // What forbids the change was there before, and is set again below.
  const forbids = [...(await readFlags(host, place, now))].filter((flag) => flags.includes(flag));
  for (const flag of forbids) await command(host, 'chattr', `-${flag}`, place.hostPath);
  if (now !== null && (before === null || before.kind !== now.kind)) {
    await removeEntry(host, place.hostPath, now.kind);
  }
  if (before === null || backup === null) return;
  await (before.kind === 'directory'
    ? extract(host, backup.file, place.directory.hostPath, place.name)
    : replace(host, backup.file, place, before.kind === 'file'));
  for (const flag of flags) await command(host, 'chattr', `+${flag}`, place.hostPath);
};

const isSame = (one: EntryState | null, other: EntryState | null): boolean =>
  sameEntry(one, other) && one?.modified === other?.modified;

/** Killed in the midst of it: the new thing is there already, perhaps without all attributes. */
const isExpected = (now: EntryState | null, { expected }: EntryIntent): boolean => {
  // An earlier version has not noted it.
  if (expected === undefined) return true;
  if (expected === null || now === null) return expected === now;
  return (
    expected.kind === now.kind &&
    expected.sha256 === now.sha256 &&
    expected.linkTarget === now.linkTarget
  );
};

export type EntryUndo = {
  readonly intent: EntryIntent;
  /** The first change of the same entry that is to be taken back; it may be this one. */
  readonly first: EntryIntent;
  /** Also where it was changed since. */
  readonly force: boolean;
};

/**
 * Puts one entry back as it was before the session changed it, with owner, mode, times, ACLs,
 * extended attributes and flags.
 *
 * @returns the path, or null when it is already as it was.
 * @throws RescueError `CHANGED_SINCE` (4), `NO_PLACE`, `BACKUP_DAMAGED`, `UNDO_FAILED` (1).
 */
export const undoEntry = async (
  host: Host,
  root: string,
  { done }: RecordedChange,
  { intent, first, force }: EntryUndo,
): Promise<string | null> => {
  const place = await placeOf(host, root, intent.path);
  if (intent.onRoot !== undefined && intent.onRoot !== (await isOnRoot(host, root, place))) {
    throw notMounted(intent.path);
  }
  await removeHalfMade(host, place.directory.hostPath);
  const now = await host.files.entryState(place.hostPath);
  // An undo that was cut off has put back all of them, and noted none.
  if (first.number !== intent.number && isSame(now, first.before)) return null;
  const flags = await readFlags(host, place, now);
  const flagsGone = [...intent.flags].some((flag) => !flags.includes(flag));
  const isBack = isSame(now, intent.before);
  // Where only attributes were changed, this does not show whether they are back.
  const shows =
    done === null ? !isExpected(intent.before, intent) : !isSame(done.after, intent.before);
  if (isBack && shows && !flagsGone) return null;
  const isOurs = done !== null && sameEntry(now, done.after);
  const isUnfinished = done === null && isExpected(now, intent);
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

const notMounted = (path: string): RescueError =>
  new RescueError({
    code: 'NO_PLACE',
    message: `${path} was on another file system: the part of the system that held it is not mounted now, or another one is.`,
    hint: 'Does fstab name that part? Mend it first, and undo again.',
  });

const notBack = (path: string): RescueError =>
  new RescueError({
    code: 'UNDO_FAILED',
    message: `${path} is not as it was before the session, although it was put back.`,
    hint: 'The backup is kept in the session. Is the disk full or failing?',
  });
