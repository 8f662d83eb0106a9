import { z } from 'zod';
import type { Change } from '../changes/change.ts';
import { keepAll } from '../changes/keep-all.ts';
import type { Host } from '../host/host.ts';
import { RescueError } from '../host/rescue-error.ts';
import type { FileList, ListedFile } from './file-list.ts';

const listedSchema = z.object({
  kind: z.enum(['file', 'directory', 'symlink', 'other']),
  bytes: z.number(),
  mode: z.string(),
  owner: z.string(),
  modifiedAt: z.string(),
  changedAt: z.string(),
  link: z.string(),
});

const stagedSchema = z.object({
  path: z.string(),
  /** As it was on the disk; null: it was not there. */
  before: listedSchema.nullable(),
  /** False: it is to be removed. */
  stays: z.boolean(),
});

/** One entry that an overlay has otherwise than the disk. */
export type StagedEntry = Readonly<z.infer<typeof stagedSchema>>;

const listFile = (directory: string): string => `${directory}/entries.json`;
const entriesDirectory = (directory: string): string => `${directory}/entries`;

/** Places that a boot fills anew; what is left there is no change of the system. */
const volatile = /^\/(dev|proc|run|sys|tmp)\//;

const isCopied = (now: ListedFile | undefined, path: string): boolean =>
  now !== undefined &&
  now.kind !== 'other' &&
  // A name that is no UTF-8 cannot be given to another program as it is.
  !path.includes('\ufffd');

const copyOut = async (
  host: Host,
  root: string,
  directory: string,
  paths: readonly string[],
): Promise<void> => {
  const [names, archive] = [`${directory}/entries.names`, `${directory}/entries.tar`];
  const to = entriesDirectory(directory);
  await host.files.ensureDirectory(to, 0o700);
  await host.files.writeSynced(names, paths.map((path) => `.${path}\0`).join(''));
  const common = { timeoutSeconds: 0, changes: false } as const;
  const from = [`--directory=${root}`, '--no-recursion', '--null', `--files-from=${names}`];
  await host.run({
    program: 'tar',
    args: ['--create', `--file=${archive}`, '--format=posix', ...keepAll, ...from],
    ...common,
  });
  await host.run({
    program: 'tar',
    args: ['--extract', `--file=${archive}`, '--same-permissions', ...keepAll, `--directory=${to}`],
    ...common,
  });
  // The commit may come days later, and after a power cut.
  await host.run({ program: 'sync', args: ['--file-system', to], ...common });
  for (const path of [names, archive]) await host.files.removeFile(path);
};

/** What is copied lies twice in the state directory for a moment: as an archive, and as files. */
const requireRoom = async (
  { files }: Host,
  directory: string,
  entries: readonly ListedFile[],
): Promise<void> => {
  const bytes = entries.reduce((sum, { kind, bytes }) => sum + (kind === 'file' ? bytes : 0), 0);
  const { sizeBytes, freeBytes } = await files.space(directory);
  if (sizeBytes === 0 || 2 * bytes < freeBytes) return;
  throw new RescueError({
    code: 'LAYER_FULL',
    message: `There is no room in ${directory} to keep the changed files: ${Math.ceil((2 * bytes) / 2 ** 20)} MiB are needed.`,
    hint: 'The disk is as it was. Make room in the state directory or name a larger one with --state-dir, and try again.',
  });
};

/**
 * Copies what an overlay has otherwise than the disk into the state directory, with all attributes:
 * the disk cannot be mounted for writing while it is the overlay's lower side.
 *
 * @param root the overlay with all that is mounted in it.
 * @returns paths of what is left out: device nodes, sockets, and names that are no UTF-8.
 * @throws RescueError `LAYER_FULL`
 */
export const stageEntries = async (
  host: Host,
  root: string,
  directory: string,
  paths: readonly string[],
  before: FileList,
  after: FileList,
): Promise<readonly string[]> => {
  const wanted = paths.filter((path) => !volatile.test(path));
  const copied = wanted.filter((path) => isCopied(after.get(path), path));
  const removed = wanted.filter((path) => !after.has(path));
  await requireRoom(
    host,
    directory,
    copied.flatMap((path) => after.get(path) ?? []),
  );
  await copyOut(host, root, directory, copied);
  const entry = (path: string, stays: boolean): StagedEntry => ({
    path,
    before: before.get(path) ?? null,
    stays,
  });
  const entries = [
    // What is in a directory goes before it, and comes after it.
    ...removed.toReversed().map((path) => entry(path, false)),
    ...copied.map((path) => entry(path, true)),
  ];
  await host.files.writeSynced(listFile(directory), JSON.stringify(entries));
  const done = new Set([...copied, ...removed]);
  return wanted.filter((path) => !done.has(path));
};

/** @throws RescueError `LAYER_DAMAGED` */
export const readStaged = async (
  { files }: Host,
  directory: string,
): Promise<readonly StagedEntry[]> => {
  try {
    const text = (await files.readText(listFile(directory))) ?? '';
    return z.array(stagedSchema).parse(JSON.parse(text));
  } catch (cause) {
    throw new RescueError({
      code: 'LAYER_DAMAGED',
      message: `The list of changed files in ${directory} cannot be read.`,
      hint: 'Nothing was written. Drop the layer and try again.',
      cause,
    });
  }
};

/** The changes that bring the staged entries to the system. */
export const stagedChanges = (
  entries: readonly StagedEntry[],
  directory: string,
): readonly Exclude<Change, { kind: 'write-bytes' }>[] =>
  entries.flatMap(({ path, stays, before }): readonly Exclude<Change, { kind: 'write-bytes' }>[] =>
    stays
      ? [{ kind: 'copy-entry', path, from: `${entriesDirectory(directory)}${path}` }]
      : before === null
        ? []
        : [{ kind: 'remove', path }],
  );

const isAsBefore = (before: ListedFile | null, now: ListedFile | undefined): boolean => {
  if (before === null || now === undefined) return before === null && now === undefined;
  const same = before.kind === now.kind && before.link === now.link;
  if (before.kind !== 'file' || !same) return same;
  return before.bytes === now.bytes && before.modifiedAt === now.modifiedAt;
};

/** Entries that are no longer as they were when the layer was laid. */
export const changedSince = (
  entries: readonly StagedEntry[],
  now: FileList,
): readonly StagedEntry[] =>
  entries.filter(({ path, before }) => !isAsBefore(before, now.get(path)));
