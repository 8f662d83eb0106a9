import type { EntryState } from '../host/entry-state.ts';
import type { Attributes, Change } from './change.ts';
import { flagLetters } from './flag-letters.ts';
import { keepAll } from './keep-all.ts';
import type { Place } from './place.ts';

/** Program and words; every one must succeed. */
export type Words = readonly [program: string, ...args: string[]];

const octal = (mode: number): string => mode.toString(8).padStart(4, '0');

/** chown(2) clears set-user-id bits, so the mode comes after the owner. */
const attributeCommands = (path: string, { mode, uid, gid }: Attributes): readonly Words[] => [
  ...(uid === undefined && gid === undefined
    ? []
    : [
        [
          'chown',
          '--no-dereference',
          `${uid ?? ''}${gid === undefined ? '' : `:${gid}`}`,
          path,
        ] as const,
      ]),
  ...(mode === undefined ? [] : [['chmod', octal(mode), path] as const]),
];

const moveOver = (temporary: string, place: Place): Words => [
  'mv',
  '--no-target-directory',
  '--force',
  temporary,
  place.hostPath,
];

/** Something of another kind is in the way; what is removed has a backup. */
const clearWay = (place: Place, before: EntryState | null): readonly Words[] =>
  before?.kind === 'directory' ? [['rmdir', place.hostPath]] : [];

type FileChange = Extract<Change, { kind: 'write-file' }>;

/** Owner, mode, ACL, label and other attributes, without a byte of the content. */
const takeAttributes = (from: string, to: string): Words => [
  'cp',
  '--attributes-only',
  '--preserve=all',
  from,
  to,
];

/**
 * The old file's attributes come first, so that nobody may read the new one who might not read it,
 * and again after the content: the kernel takes capabilities away when a file is written
 * (capabilities(7)). The content has to be on the disk before the name is (rename(2) does not wait).
 */
const writeFile = (
  place: Place,
  before: EntryState | null,
  { attributes = {} }: FileChange,
  content: string,
  temporary: string,
): readonly Words[] => [
  ...(before?.kind === 'file' ? [takeAttributes(place.hostPath, temporary)] : []),
  ['cp', '--no-preserve=mode,ownership,timestamps', content, temporary],
  ...(before?.kind === 'file'
    ? [takeAttributes(place.hostPath, temporary), ['touch', '-m', temporary] as const]
    : []),
  ...attributeCommands(
    temporary,
    before?.kind === 'file' ? attributes : { mode: 0o644, uid: 0, gid: 0, ...attributes },
  ),
  ['sync', temporary],
  ...clearWay(place, before),
  moveOver(temporary, place),
];

/** cp(1) copies no directory without what is in it; tar does, onto one that is there as well. */
const withoutContents = `from=$1 to=$2; shift 2
failed=$({
  { tar --create --file=- --format=posix --no-recursion "$@" --directory="$from" . || echo yes >&3; } |
    tar --extract --file=- --same-owner --preserve-permissions "$@" --directory="$to"
} 3>&1) && [ -z "$failed" ]`;

const copyDirectory = (place: Place, before: EntryState | null, from: string): readonly Words[] => [
  ...(before?.kind === 'directory' ? [] : [['mkdir', place.hostPath] as const]),
  ['sh', '-c', withoutContents, 'sh', from, place.hostPath, ...keepAll],
];

const copyEntry = (
  place: Place,
  before: EntryState | null,
  from: { readonly path: string; readonly kind: EntryState['kind'] },
  temporary: string,
): readonly Words[] =>
  from.kind === 'directory'
    ? copyDirectory(place, before, from.path)
    : [
        ['cp', '--archive', '--no-dereference', from.path, temporary],
        // A link has no content, and sync(1) would follow it.
        ...(from.kind === 'file' ? [['sync', temporary] as const] : []),
        ...clearWay(place, before),
        moveOver(temporary, place),
      ];

export type Sources = {
  /** File of the session with the new content, for `write-file`. */
  readonly content: string;
  /** Name beside the entry for what is made before it takes its place. */
  readonly temporary: string;
  /** Kind of what is copied, for `copy-entry`. */
  readonly fromKind: EntryState['kind'];
};

export type EntryChange = Exclude<Change, { kind: 'write-bytes' }>;

/** The commands that make one change of an entry, in their order. */
export const entryCommands = (
  change: EntryChange,
  place: Place,
  before: EntryState | null,
  { content, temporary, fromKind }: Sources,
): readonly Words[] => {
  const path = place.hostPath;
  switch (change.kind) {
    case 'write-file':
      return writeFile(place, before, change, content, temporary);
    case 'make-link':
      return [
        ['ln', '--symbolic', '--no-dereference', '--', change.to, temporary],
        ...clearWay(place, before),
        moveOver(temporary, place),
      ];
    case 'make-directory':
      return [
        ...(before === null || before.kind === 'directory'
          ? []
          : [['rm', '--force', path] as const]),
        ...(before?.kind === 'directory' ? [] : [['mkdir', path] as const]),
        ...attributeCommands(path, change.attributes),
      ];
    case 'remove':
      return [before?.kind === 'directory' ? ['rmdir', path] : ['rm', '--force', path]];
    case 'set-attributes':
      return [
        ...(change.clearFlags ?? []).map(
          (flag): Words => ['chattr', `-${flagLetters[flag]}`, path],
        ),
        ...attributeCommands(path, change.attributes),
      ];
    case 'copy-entry':
      return copyEntry(place, before, { path: change.from, kind: fromKind }, temporary);
  }
};
