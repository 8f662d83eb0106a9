import type { EntryState } from '../host/entry-state.ts';
import type { Host } from '../host/host.ts';
import { sha256 } from '../host/sha256.ts';
import type { Attributes } from './change.ts';
import type { EntryChange } from './entry-commands.ts';
import { flagLetters } from './flag-letters.ts';
import { sameAttributes } from './same-attributes.ts';

const attributesAre = (state: EntryState, { mode, uid, gid }: Attributes): boolean =>
  (mode === undefined || state.mode === mode) &&
  (uid === undefined || state.uid === uid) &&
  (gid === undefined || state.gid === gid);

/**
 * Whether two states are the same thing to whoever uses the file. Times are left out: they change
 * without the content, and a directory's also when something beside it does.
 */
export const sameEntry = (one: EntryState | null, other: EntryState | null): boolean =>
  one === null || other === null
    ? one === other
    : one.kind === other.kind &&
      (one.kind === 'symlink' || one.mode === other.mode) &&
      one.uid === other.uid &&
      one.gid === other.gid &&
      one.sha256 === other.sha256 &&
      one.linkTarget === other.linkTarget;

/**
 * Whether an entry is already what a change would make of it: then nothing is to be done.
 *
 * @param before the entry as it is now.
 * @param hostPath where it is.
 */
export const alreadySo = async (
  host: Host,
  change: EntryChange,
  before: EntryState | null,
  hostPath: string,
  flags: string,
): Promise<boolean> => {
  switch (change.kind) {
    case 'write-file':
      return (
        before?.kind === 'file' &&
        before.sha256 === sha256(change.content) &&
        attributesAre(before, change.attributes ?? {})
      );
    case 'make-link':
      return before?.kind === 'symlink' && before.linkTarget === change.to;
    case 'make-directory':
      return before?.kind === 'directory' && attributesAre(before, change.attributes);
    case 'remove':
      return before === null;
    case 'set-attributes':
      return (
        before !== null &&
        attributesAre(before, change.attributes) &&
        (change.clearFlags ?? []).every((flag) => !flags.includes(flagLetters[flag]))
      );
    case 'copy-entry':
      return (
        sameEntry(before, await host.files.entryState(change.from)) &&
        (before === null || (await sameAttributes(host, before, hostPath, change.from)))
      );
  }
};
