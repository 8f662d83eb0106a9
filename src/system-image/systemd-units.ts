import type { SystemFiles } from './system-files.ts';

/** Where systemd looks for system units, the strongest first (systemd.unit(5)); /run is not kept. */
export const unitDirectories = [
  '/etc/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
] as const;

export const administratorUnits = unitDirectories[0];

/**
 * What is found under a unit's name in the first directory that has it. `masked` covers both ways:
 * a link to /dev/null, and an empty file, as a power cut leaves it.
 */
export type UnitEntry = {
  readonly path: string;
  readonly state: 'file' | 'link' | 'masked' | 'dangling';
  /** The link as it is written; null when it is none. */
  readonly to: string | null;
};

const entryIn = async (files: SystemFiles, path: string): Promise<UnitEntry | null> => {
  const entry = await files.entry(path);
  if (entry === null) return null;
  if (entry.status.kind !== 'symlink') {
    const empty = entry.status.kind === 'file' && entry.status.sizeBytes === 0;
    return { path, state: empty ? 'masked' : 'file', to: null };
  }
  const to = (await files.link(path)) ?? '';
  if (/^(?:\.\.\/)*\/?dev\/null$/.test(to)) return { path, state: 'masked', to };
  const target = await files.status(path);
  if (target === null) return { path, state: 'dangling', to };
  return { path, state: target.sizeBytes === 0 ? 'masked' : 'link', to };
};

/** Finds a unit as systemd does; null when no directory has the name. */
export const findUnit = async (
  files: SystemFiles,
  name: string,
  directories: readonly string[] = unitDirectories,
): Promise<UnitEntry | null> => {
  const found = await Promise.all(
    directories.map((directory) => entryIn(files, `${directory}/${name}`)),
  );
  return found.find((entry) => entry !== null) ?? null;
};

/** The unit that a boot ends at; null where default.target is missing, masked or leads to nothing. */
export const defaultTarget = async (files: SystemFiles): Promise<string | null> => {
  const unit = await findUnit(files, 'default.target');
  if (unit === null || unit.state === 'masked' || unit.state === 'dangling') return null;
  return unit.to?.split('/').pop() ?? 'default.target';
};
