import type { SystemFiles } from './system-files.ts';
import { findUnit, unitDirectories } from './systemd-units.ts';
import { parseUnitFile, type UnitEntryLine, type UnitProblem } from './unit-file.ts';

export type SourceEntry = UnitEntryLine & { readonly path: string };
export type SourceProblem = UnitProblem & { readonly path: string };

/** A unit as systemd would load it: its file and then its drop-ins, the last assignment counts. */
export type LoadedUnit = {
  readonly name: string;
  /** The file that its name leads to. */
  readonly path: string;
  readonly entries: readonly SourceEntry[];
  readonly problems: readonly SourceProblem[];
  /** Names in the directories `NAME.wants` and `NAME.requires`, with the link that says so. */
  readonly pulls: readonly {
    readonly name: string;
    readonly link: string;
    readonly hard: boolean;
  }[];
};

const templateOf = (name: string): string | null => {
  const match = /^([^@]+@)[^@]+(\.[a-z]+)$/.exec(name);
  return match === null ? null : `${match[1]}${match[2]}`;
};

const typeOf = (name: string): string => name.slice(name.lastIndexOf('.') + 1);

/** Drop-ins sort by their names over all directories; of one name the strongest directory's counts. */
const dropInsOf = async (
  files: SystemFiles,
  names: readonly string[],
): Promise<readonly string[]> => {
  const byName = new Map<string, string>();
  for (const directory of unitDirectories.toReversed()) {
    for (const name of names) {
      for (const file of (await files.list(`${directory}/${name}.d`)) ?? []) {
        if (file.endsWith('.conf')) byName.set(file, `${directory}/${name}.d/${file}`);
      }
    }
  }
  return [...byName].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, path]) => path);
};

const pullsOf = async (
  files: SystemFiles,
  names: readonly string[],
): Promise<LoadedUnit['pulls']> => {
  const kinds = [
    ['wants', false],
    ['requires', true],
  ] as const;
  const places = unitDirectories.flatMap((directory) =>
    names.flatMap((name) =>
      kinds.map(([kind, hard]) => ({ path: `${directory}/${name}.${kind}`, hard })),
    ),
  );
  const lists = await Promise.all(
    places.map(async ({ path, hard }) =>
      ((await files.list(path)) ?? []).map((name) => ({ name, link: `${path}/${name}`, hard })),
    ),
  );
  return lists.flat();
};

/** Largest unit file that is read; real ones have some kilobytes. */
const maxBytes = 256 * 1024;

const read = async (files: SystemFiles, path: string) => {
  const { entries, problems } = parseUnitFile((await files.read(path, maxBytes)) ?? '');
  return {
    entries: entries.map((entry) => ({ ...entry, path })),
    problems: problems.map((problem) => ({ ...problem, path })),
  };
};

/**
 * Loads a unit with its drop-ins; an alias is loaded by the name that it leads to.
 *
 * @returns null when there is none, or it is masked or dangling.
 */
export const loadUnit = async (files: SystemFiles, name: string): Promise<LoadedUnit | null> => {
  const template = templateOf(name);
  const entry =
    (await findUnit(files, name)) ?? (template === null ? null : await findUnit(files, template));
  if (entry === null || entry.state === 'masked' || entry.state === 'dangling') return null;
  const path = (await files.locate(entry.path))?.path ?? entry.path;
  const base = path.slice(path.lastIndexOf('/') + 1);
  // A link to a template is an instance of it and keeps its own name.
  const own = base.includes('@.') ? name : base;
  const names = [...new Set([own, name, ...(template === null ? [] : [template])])];
  const dropIns = await dropInsOf(files, [typeOf(name), ...names]);
  const [parts, pulls] = await Promise.all([
    Promise.all([path, ...dropIns].map((one) => read(files, one))),
    pullsOf(files, names),
  ]);
  return {
    name: own,
    path,
    entries: parts.flatMap(({ entries }) => entries),
    problems: parts.flatMap(({ problems }) => problems),
    pulls,
  };
};
