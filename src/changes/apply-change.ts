import type { EntryState } from '../host/entry-state.ts';
import type { Host } from '../host/host.ts';
import { RescueError } from '../host/rescue-error.ts';
import { backupOf, type ChangeLog } from './change-log.ts';
import { type EntryChange, entryCommands, type Words } from './entry-commands.ts';
import { type Place, placeOf } from './place.ts';
import { alreadySo } from './same-state.ts';

/** Everything that tar(1) can keep of an entry: times to the nanosecond, ACLs, attributes, labels. */
const backupWords = (file: string, { directory, name }: Place): Words => [
  'tar',
  '--create',
  `--file=${file}`,
  '--format=posix',
  '--numeric-owner',
  '--no-recursion',
  '--acls',
  '--selinux',
  '--xattrs',
  '--xattrs-include=*',
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

/** Flags that keep even root from changing a file; file systems without flags have none. */
const readFlags = async (host: Host, place: Place, before: EntryState | null): Promise<string> => {
  if (before === null || (before.kind !== 'file' && before.kind !== 'directory')) return '';
  const { exitCode, stdout } = await host.run({
    program: 'lsattr',
    args: ['-d', place.hostPath],
    accept: [0, 1],
    changes: false,
  });
  const letters = exitCode === 0 ? (stdout.split(' ')[0] ?? '') : '';
  return ['i', 'a'].filter((letter) => letters.includes(letter)).join('');
};

const isTemporary = (name: string): boolean => /^\.rescuekit-\d+\.new$/.test(name);

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

/** A file of the session with the content that is to be written. */
const storeContent = async (
  host: Host,
  log: ChangeLog,
  change: EntryChange,
): Promise<{ readonly content: string; readonly fromKind: EntryState['kind'] }> => {
  const content = `${log.directory}/${log.next()}.new`;
  if (change.kind === 'write-file') await host.files.writeSynced(content, change.content);
  const from = change.kind === 'copy-entry' ? await host.files.entryState(change.from) : null;
  if (change.kind === 'copy-entry' && (from === null || from.kind === 'other')) {
    throw new RescueError({
      code: 'CHANGE_FAILED',
      message: `${change.path} cannot be taken over: it is no file, directory or link.`,
    });
  }
  return { content, fromKind: from?.kind ?? 'file' };
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

const isNoSpace = (cause: unknown): boolean =>
  cause instanceof Error && cause.message.includes('No space left on device');

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
 * @throws RescueError `NO_PLACE`, `BACKUP_FAILED`, `CHANGE_FAILED` (1).
 */
export const applyEntryChange = async (
  host: Host,
  root: string,
  log: ChangeLog,
  change: EntryChange,
): Promise<AppliedEntry | null> => {
  const place = await placeOf(host, root, change.path);
  const before = await host.files.entryState(place.hostPath);
  const flags = await readFlags(host, place, before);
  if (await alreadySo(host, change, before, flags)) return null;
  const sources = await storeContent(host, log, change);
  const backup = before === null ? null : await backUp(host, log, place);
  const holder = await host.files.entryState(place.directory.hostPath);
  const number = await log.intend({
    kind: 'entry',
    path: place.path,
    before,
    backup,
    flags,
    directory: {
      path: place.directory.path,
      modified: holder?.modified ?? '0.0',
      accessed: holder?.accessed ?? '0.0',
    },
  });
  const temporary = `${place.directory.hostPath}/.rescuekit-${number}.new`;
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

/** Takes away what a killed process left beside a file that it was about to replace. */
export const removeHalfMade = async (host: Host, directory: string): Promise<void> => {
  for (const name of (await host.files.list(directory)) ?? []) {
    if (isTemporary(name)) await host.files.removeFile(`${directory}/${name}`);
  }
};
