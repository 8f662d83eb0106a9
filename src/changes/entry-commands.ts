import type { EntryState } from '../host/entry-state.ts';
import type { Attributes, Change } from './change.ts';
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

const flagLetters = { immutable: 'i', 'append-only': 'a' } as const;

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

/** The old file's owner, mode, ACL, label and other attributes first, then the new content. */
const writeFile = (
  place: Place,
  before: EntryState | null,
  { attributes = {} }: FileChange,
  content: string,
  temporary: string,
): readonly Words[] => [
  ...(before?.kind === 'file'
    ? [['cp', '--attributes-only', '--preserve=all', place.hostPath, temporary] as const]
    : []),
  ['cp', '--no-preserve=mode,ownership,timestamps', content, temporary],
  ...attributeCommands(
    temporary,
    before?.kind === 'file' ? attributes : { mode: 0o644, uid: 0, gid: 0, ...attributes },
  ),
  ...clearWay(place, before),
  moveOver(temporary, place),
];

const copyDirectory = (place: Place, before: EntryState | null, from: string): readonly Words[] => [
  ...(before?.kind === 'directory' ? [] : [['mkdir', place.hostPath] as const]),
  ['chown', `--reference=${from}`, place.hostPath],
  ['chmod', `--reference=${from}`, place.hostPath],
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
        ['ln', '--symbolic', '--no-dereference', change.to, temporary],
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
