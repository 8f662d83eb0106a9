import type { EntryState } from '../host/entry-state.ts';
import type { Host } from '../host/host.ts';
import { RescueError } from '../host/rescue-error.ts';
import { sha256 } from '../host/sha256.ts';
import { backupOf, type ChangeLog } from './change-log.ts';
import type { ExpectedState } from './change-record.ts';
import { type EntryChange, entryCommands, type Words } from './entry-commands.ts';
import { readFlags, requireUnflagged } from './file-flags.ts';
import { keepAll } from './keep-all.ts';
import { isOnRoot, type Place, placeOfChange } from './place.ts';
import { alreadySo } from './same-state.ts';
import { isTemporaryName, temporaryName } from './temporary-name.ts';

/** Everything that tar(1) can keep of an entry: times to the nanosecond, ACLs, attributes, labels. */
const backupWords = (file: string, { directory, name }: Place): Words => [
  'tar',
  '--create',
  `--file=${file}`,
  '--format=posix',
  '--no-recursion',
  ...keepAll,
  '--atime-preserve=system',
  `--directory=${directory.hostPath}`,
  '--',
  `./${name}`,
];

const run = async (host: Host, [program, ...args]: Words, changes: boolean): Promise<void> => {
  await host.run({ program, args, changes, timeoutSeconds: 600 });
};

const backUp = async (
  host: Host,
  log: ChangeLog,
  place: Place,
): Promise<{ readonly file: string; readonly sha256: string }> => {
  const file = `${log.directory}/${log.next()}.tar`;
  await run(host, backupWords(file, place), false);
  await run(host, ['sync', file], false);
  return backupOf(host, file);
};

const removeTemporary = async (host: Host, temporary: string): Promise<void> => {
  await host.files.removeFile(temporary).catch(() => false);
};

const failed = (place: Place, cause: unknown): RescueError =>
  new RescueError({
    code: 'CHANGE_FAILED',
    message: `${place.path} could not be changed: ${cause instanceof Error ? cause.message : String(cause)}`,
    hint: 'What was there before is kept in the session; rescuekit undo puts it back.',
    cause,
  });

type StoredContent = {
  readonly content: string;
  /** What is copied, for `copy-entry`. */
  readonly from: EntryState | null;
  readonly fromKind: EntryState['kind'];
};

/** A file of the session with the content that is to be written. */
const storeContent = async (
  host: Host,
  log: ChangeLog,
  change: EntryChange,
): Promise<StoredContent> => {
  const content = `${log.directory}/${log.next()}.new`;
  if (change.kind === 'write-file') await host.files.writeSynced(content, change.content);
  const from = change.kind === 'copy-entry' ? await host.files.entryState(change.from) : null;
  if (change.kind === 'copy-entry' && (from === null || from.kind === 'other')) {
    throw new RescueError({
      code: 'CHANGE_FAILED',
      message: `${change.path} cannot be taken over: it is no file, directory or link.`,
    });
  }
  return { content, from, fromKind: from?.kind ?? 'file' };
};

/** What the entry is to be: after a kill in its midst it is this, or what it was. */
const expectedState = (
  change: EntryChange,
  before: EntryState | null,
  { from }: StoredContent,
): ExpectedState | null => {
  switch (change.kind) {
    case 'write-file':
      return { kind: 'file', sha256: sha256(change.content), linkTarget: null };
    case 'make-link':
      return { kind: 'symlink', sha256: null, linkTarget: change.to };
    case 'make-directory':
      return { kind: 'directory', sha256: null, linkTarget: null };
    case 'remove':
      return null;
    case 'set-attributes':
      return before;
    case 'copy-entry':
      return from;
  }
};

/**
 * On a full disk there is no room for a second file beside the old one, but what is to become
 * smaller can be written in place: what was there is kept elsewhere already.
 */
const shrinks = async (
  host: Host,
  change: EntryChange,
  before: EntryState | null,
  content: string,
  cause: unknown,
): Promise<boolean> => {
  if (change.kind !== 'write-file' || before?.kind !== 'file' || !isNoSpace(cause)) return false;
  return ((await host.files.entryState(content))?.sizeBytes ?? 0) < before.sizeBytes;
};

/** Whether a program or the kernel said that the file system is full; tar, that it came to an end. */
export const isNoSpace = (cause: unknown): boolean =>
  cause instanceof Error &&
  /no space left on device|Wrote only \d+ of \d+ bytes/i.test(cause.message);

/** What a change of an entry came to. */
export type AppliedEntry = {
  readonly place: Place;
  readonly before: EntryState | null;
  readonly after: EntryState | null;
};

/**
 * Makes one change of an entry. What was there is backed up in the session's directory, on the disk,
 * before anything is touched; the new thing takes its place in one step.
 *
 * @param root host directory of the system, mounted for writing.
 * @returns null when it is so already: nothing was done.
 * @throws RescueError `NO_PLACE`, `FLAGGED`, `BACKUP_FAILED`, `CHANGE_FAILED` (1).
 */
export const applyEntryChange = async (
  host: Host,
  root: string,
  log: ChangeLog,
  change: EntryChange,
): Promise<AppliedEntry | null> => {
  const place = await placeOfChange(host, root, change);
  const before = await host.files.entryState(place.hostPath);
  const flags = await readFlags(host, place, before);
  if (await alreadySo(host, change, before, place.hostPath, flags)) return null;
  await requireUnflagged(host, place, change, flags);
  const sources = await storeContent(host, log, change);
  const backup = before === null ? null : await backUp(host, log, place);
  const holder = await host.files.entryState(place.directory.hostPath);
  const number = await log.intend({
    kind: 'entry',
    path: place.path,
    before,
    expected: expectedState(change, before, sources),
    backup,
    onRoot: await isOnRoot(host, root, place),
    flags,
    directory: {
      path: place.directory.path,
      modified: holder?.modified ?? '0.0',
      accessed: holder?.accessed ?? '0.0',
    },
  });
  const temporary = `${place.directory.hostPath}/${temporaryName()}`;
  try {
    for (const words of entryCommands(change, place, before, { ...sources, temporary })) {
      await run(host, words, true);
    }
  } catch (cause) {
    await removeTemporary(host, temporary);
    if (!(await shrinks(host, change, before, sources.content, cause))) throw failed(place, cause);
    await run(host, ['cp', '--no-preserve=all', sources.content, place.hostPath], true);
  }
  const after = await host.files.entryState(place.hostPath);
  await log.done({ number, after, sha256: null });
  return { place, before, after };
};

/**
 * Takes away what a killed process left beside a file that it was about to replace: the new file, or
 * a directory with what was to be put back.
 */
export const removeHalfMade = async (host: Host, directory: string): Promise<void> => {
  for (const name of (await host.files.list(directory)) ?? []) {
    if (isTemporaryName(name)) await host.files.removeTree(`${directory}/${name}`);
  }
};
