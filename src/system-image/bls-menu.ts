import { bootDirectories, type LoaderEntry, parseBootEntry } from './boot-entries.ts';
import type { BootEntry } from './boot-entry.ts';
import { locateEntryFile } from './entry-paths.ts';
import { fitsGlob } from './glob.ts';
import type { SystemFiles } from './system-files.ts';
import { compareVersions } from './version-compare.ts';

type Named = {
  readonly entry: LoaderEntry;
  /** Name of the file without `.conf` and without the boot counter (`+3-1`). */
  readonly id: string;
  readonly path: string;
  readonly directory: string;
  readonly text: string;
};

const read = async (files: SystemFiles, directory: string, name: string): Promise<Named | null> => {
  const path = `${directory}/loader/entries/${name}`;
  const text = await files.read(path, 64 * 1024);
  if (text === null) return null;
  const id = name.replace(/(?:\+\d+(?:-\d+)?)?\.conf$/, '');
  return { entry: parseBootEntry(text), id, path, directory, text };
};

const readAll = async (files: SystemFiles, directory: string): Promise<readonly Named[]> => {
  const names = (await files.list(`${directory}/loader/entries`)) ?? [];
  const found = await Promise.all(
    // More than these are no menu any more.
    names
      .filter((name) => name.endsWith('.conf'))
      .slice(0, 200)
      .map((name) => read(files, directory, name)),
  );
  return found.filter((named) => named !== null);
};

const compareText = (one: string, other: string): number =>
  one === other ? 0 : one < other ? -1 : 1;

/**
 * Order of the menu (Boot Loader Specification, "Sorting"): entries with a sort key first, by key,
 * machine, and version with the newest on top; the others by name, the newest on top.
 */
const inMenuOrder = (one: Named, other: Named): number => {
  const [left, right] = [one.entry, other.entry];
  if ((left.sortKey === null) !== (right.sortKey === null)) return left.sortKey === null ? 1 : -1;
  const byKey =
    left.sortKey === null || right.sortKey === null
      ? 0
      : compareText(left.sortKey, right.sortKey) ||
        compareText(left.machineId ?? '', right.machineId ?? '') ||
        compareVersions(right.version ?? '', left.version ?? '');
  return byKey || compareVersions(other.id, one.id) || compareText(other.id, one.id);
};

/** Command lines that entries name by a variable of GRUB, with the file that each stands in. */
export type SavedOptions = ReadonlyMap<string, { readonly path: string; readonly value: string }>;

const wordsOf = (options: string): readonly string[] => options.split(/\s+/).filter(Boolean);

/**
 * The command line of an entry: its own words, and those of the variables that it names. GRUB takes
 * `default_kernelopts` for an entry that has none at all (Fedora: blscfg).
 */
const optionsOf = (
  { options, variables }: LoaderEntry,
  known: SavedOptions,
): Pick<BootEntry, 'options' | 'saved'> => {
  const hasNone = options === '' && variables.length === 0;
  const named = (hasNone ? ['default_kernelopts'] : variables).flatMap(
    (name) => known.get(name) ?? [],
  );
  const [first] = named;
  if (first === undefined) return { options, saved: null };
  const words = named.flatMap(({ value }) => wordsOf(value));
  return {
    options: [...words, ...wordsOf(options)].join(' '),
    saved: { path: first.path, words },
  };
};

const lineOf = (text: string, key: RegExp): number | null => {
  const at = text.split('\n').findIndex((line) => key.test(line));
  return at === -1 ? null : at + 1;
};

const entryOf = async (
  files: SystemFiles,
  { entry, id, path, directory, text }: Named,
  loader: BootEntry['loader'],
  isDefault: boolean,
  saved: SavedOptions,
): Promise<BootEntry | null> => {
  if (entry.linux === null) return null;
  const locate = (file: string) => locateEntryFile(files, file, directory);
  const [kernelPath, initrdPaths] = await Promise.all([
    locate(entry.linux),
    Promise.all(entry.initrds.map(locate)),
  ]);
  return {
    ...{ loader, title: entry.title ?? id, id, isDefault, path, line: 1 },
    ...{ kernel: entry.linux, kernelPath, initrds: entry.initrds, initrdPaths },
    ...optionsOf(entry, saved),
    kernelLine: lineOf(text, /^\s*(?:linux|uki|efi)\s/) ?? 1,
    initrdLine: lineOf(text, /^\s*initrd\s/),
    places: [],
  };
};

const entriesOf = async (
  files: SystemFiles,
  named: readonly Named[],
  loader: BootEntry['loader'],
  chosen: Named | undefined,
  saved: SavedOptions,
): Promise<readonly BootEntry[]> => {
  const entries = await Promise.all(
    named.map((one) => entryOf(files, one, loader, one === chosen, saved)),
  );
  return entries.filter((entry) => entry !== null);
};

/**
 * The entries that GRUB's `blscfg` shows, newest first.
 *
 * @param wanted GRUB's `default`: a number, or an entry's id or title.
 * @param saved command lines in GRUB's environment block or menu.
 */
export const readGrubBlsEntries = async (
  files: SystemFiles,
  wanted: string,
  saved: SavedOptions,
): Promise<readonly BootEntry[]> => {
  const named = (await readAll(files, '/boot')).toSorted(
    (one, other) => compareVersions(other.id, one.id) || compareText(other.id, one.id),
  );
  const chosen = /^\d+$/.test(wanted)
    ? named[Number(wanted)]
    : named.find(({ id, entry }) => id === wanted || entry.title === wanted);
  return entriesOf(files, named, 'grub', chosen ?? named[0], saved);
};

const wantedBy = (text: string): string | null =>
  /^[ \t]*default[ \t]+(\S+)/m.exec(text)?.[1] ?? null;

/** The entries of systemd-boot in the order of its menu; empty where it is not in use. */
export const readSystemdBootEntries = async (files: SystemFiles): Promise<readonly BootEntry[]> => {
  const configs = await Promise.all(
    bootDirectories.map((place) => files.read(`${place}/loader/loader.conf`, 64 * 1024)),
  );
  const programs = await Promise.all(
    bootDirectories.map((place) => files.isDirectory(`${place}/EFI/systemd`)),
  );
  if (configs.every((config) => config === null) && !programs.includes(true)) return [];
  const found = await Promise.all(bootDirectories.map((place) => readAll(files, place)));
  const named = found.flat().toSorted(inMenuOrder);
  const wanted = configs.flatMap((config) => (config === null ? [] : (wantedBy(config) ?? [])))[0];
  // A pattern of loader.conf(5), which does not tell capitals from small letters.
  const isWanted = (name: string): boolean =>
    wanted !== undefined && fitsGlob(name.toLowerCase(), wanted.toLowerCase());
  const chosen = named.find(
    ({ id, path }) => isWanted(`${id}.conf`) || isWanted(path.split('/').at(-1) ?? ''),
  );
  return entriesOf(files, named, 'systemd-boot', chosen ?? named[0], new Map());
};
