import type { EntryState } from '../host/entry-state.ts';
import type { Host } from '../host/host.ts';
import { RescueError } from '../host/rescue-error.ts';
import type { EntryChange } from './entry-commands.ts';
import { flagLetters } from './flag-letters.ts';
import type { Place } from './place.ts';

const kinds = ['immutable', 'append-only'] as const;

/**
 * Flags that keep even root from changing an entry: `i`, `a`, or both (chattr(1)). Empty where the
 * file system has none.
 */
const flagsAt = async (host: Host, hostPath: string): Promise<string> => {
  const { exitCode, stdout } = await host.run({
    program: 'lsattr',
    args: ['-d', hostPath],
    accept: [0, 1],
    changes: false,
  });
  const set = exitCode === 0 ? (stdout.split(' ')[0] ?? '') : '';
  return Object.values(flagLetters)
    .filter((letter) => set.includes(letter))
    .join('');
};

/** Those of a file or directory. lsattr opens what it is given, so nothing else is asked. */
export const readFlags = async (
  host: Host,
  { hostPath }: Pick<Place, 'hostPath'>,
  state: EntryState | null,
): Promise<string> =>
  state?.kind === 'file' || state?.kind === 'directory' ? flagsAt(host, hostPath) : '';

const words = (flags: string): string =>
  kinds.filter((kind) => flags.includes(flagLetters[kind])).join(' and ');

/**
 * Refuses a change that a flag forbids before anything is touched.
 *
 * @param flags those of the entry itself.
 * @throws RescueError `FLAGGED` (1).
 */
export const requireUnflagged = async (
  host: Host,
  place: Place,
  change: EntryChange,
  flags: string,
): Promise<void> => {
  const refuse = (path: string, found: string): RescueError =>
    new RescueError({
      code: 'FLAGGED',
      message: `${place.path} was left as it is: ${path} is ${words(found)} (chattr(1)).`,
      hint: 'If that is not meant so, clear it first: rescuekit repair TARGET --only userland.clear-flags',
    });
  const cleared = change.kind === 'set-attributes' ? (change.clearFlags ?? []) : [];
  const left = kinds
    .filter((kind) => !cleared.includes(kind))
    .map((kind) => flagLetters[kind])
    .filter((letter) => flags.includes(letter));
  if (left.length > 0) throw refuse(place.path, left.join(''));
  // Attributes of an entry are no business of its directory.
  if (change.kind === 'set-attributes') return;
  const around = await flagsAt(host, place.directory.hostPath);
  if (around !== '') throw refuse(place.directory.path, around);
};
