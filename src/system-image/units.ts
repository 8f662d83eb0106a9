import { oncePer } from '../host/once-per.ts';
import type { SystemFiles } from './system-files.ts';
import { administratorUnits, unitDirectories } from './systemd-units.ts';

/** What the administrator's directory of systemd says about units. */
export type Units = {
  /** Units whose entry is a link to /dev/null or an empty file (systemctl mask). */
  readonly masked: ReadonlySet<string>;
  /** Unit to the directories that start it: `multi-user.target.wants`. */
  readonly wantedBy: ReadonlyMap<string, readonly string[]>;
  /** Names of all unit files, the vendor's and the administrator's. */
  readonly installed: ReadonlySet<string>;
};

const wantsOf = async (
  files: SystemFiles,
  place: string,
  names: readonly string[],
): Promise<readonly (readonly [unit: string, by: string])[]> => {
  const directories = names.filter((name) => /\.(?:wants|requires)$/.test(name));
  const lists = await Promise.all(directories.map((name) => files.list(`${place}/${name}`)));
  return directories.flatMap((by, index) =>
    (lists[index] ?? []).map((unit) => [unit, by] as const),
  );
};

const isMasked = async (files: SystemFiles, name: string): Promise<boolean> => {
  const path = `${administratorUnits}/${name}`;
  if ((await files.link(path)) === '/dev/null') return true;
  const entry = await files.entry(path);
  return entry?.status.kind === 'file' && entry.status.sizeBytes === 0;
};

const readAll = async (files: SystemFiles): Promise<Units> => {
  const [names, ...vendorNames] = await Promise.all(
    unitDirectories.map(async (place) => (await files.list(place)) ?? []),
  );
  const units = (names ?? []).filter((name) => /\.[a-z]+$/.test(name));
  const masks = await Promise.all(units.map((name) => isMasked(files, name)));
  const wants = await Promise.all(
    [names ?? [], ...vendorNames].map((list, index) =>
      wantsOf(files, unitDirectories[index] ?? administratorUnits, list),
    ),
  );
  const wantedBy = new Map<string, string[]>();
  for (const [unit, by] of wants.flat()) wantedBy.set(unit, [...(wantedBy.get(unit) ?? []), by]);
  const masked = new Set(units.filter((_, index) => masks[index]));
  return {
    masked,
    wantedBy,
    installed: new Set([...units.filter((name) => !masked.has(name)), ...vendorNames.flat()]),
  };
};

/** Reads which units of a systemd system are there, masked, and started by others. */
export const readUnits = oncePer((files: SystemFiles) => files, readAll);

const openrcHas = async (files: SystemFiles, names: readonly string[]): Promise<boolean> => {
  const levels = (await files.list('/etc/runlevels')) ?? [];
  const lists = await Promise.all(levels.map((level) => files.list(`/etc/runlevels/${level}`)));
  return lists.flatMap((list) => list ?? []).some((name) => names.includes(name));
};

const sysvHas = async (files: SystemFiles, names: readonly string[]): Promise<boolean> => {
  const directories = ['rcS', 'rc2', 'rc3', 'rc5'].flatMap((level) => [
    `/etc/${level}.d`,
    `/etc/rc.d/${level}.d`,
  ]);
  const lists = await Promise.all(directories.map((directory) => files.list(directory)));
  return lists
    .flatMap((list) => list ?? [])
    .some((entry) => names.includes(/^S\d+(.+)$/.exec(entry)?.[1] ?? ''));
};

/**
 * Whether one of these services is started at boot, by whichever init.
 *
 * @param names without suffix: `ssh`, `networking`.
 */
export const startsAtBoot = async (
  files: SystemFiles,
  units: Units,
  names: readonly string[],
): Promise<boolean> => {
  const started = ['service', 'socket'].some((suffix) =>
    names.some((name) => units.wantedBy.has(`${name}.${suffix}`)),
  );
  // systemd takes no notice of the links of sysvinit where there is a unit of that name.
  if (started || names.some((name) => units.installed.has(`${name}.service`))) return started;
  return (await openrcHas(files, names)) || (await sysvHas(files, names));
};

/**
 * machine-id(5): it is the first boot when there is no id, and not when the file is empty. Then
 * systemd enables what the presets say, so that the links tell nothing yet.
 */
export const isFirstBoot = async (files: SystemFiles): Promise<boolean> => {
  const id = await files.read('/etc/machine-id', 64);
  return id === null || id.trim() === 'uninitialized';
};
