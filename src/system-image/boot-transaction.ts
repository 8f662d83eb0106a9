import { type LoadedUnit, loadUnit } from './loaded-unit.ts';
import type { SystemFiles } from './system-files.ts';
import { lastValue, listValues } from './unit-file.ts';

/** `from` is started after `to`, and the file or rule that says so. */
export type Ordering = { readonly from: string; readonly to: string; readonly because: string };

/** All units that the default target pulls in, by their names. */
export type BootTransaction = {
  readonly units: ReadonlyMap<string, LoadedUnit>;
  readonly orderings: readonly Ordering[];
  /** Those without which the boot fails: required, and not only wanted, all the way down. */
  readonly required: ReadonlySet<string>;
  /** Those, and what local-fs.target and its like require: their failure ends in emergency mode. */
  readonly fatal: ReadonlySet<string>;
};

/** A desktop has some hundreds. */
const mostUnits = 2000;

const typeOf = (name: string): string => name.slice(name.lastIndexOf('.') + 1);

const hasDefaults = (unit: LoadedUnit): boolean =>
  !/^(?:no|false|off|0|n|f)$/i.test(
    lastValue(unit.entries, 'Unit', 'DefaultDependencies') ?? 'yes',
  );

const named = (unit: LoadedUnit, ...keys: readonly string[]): readonly string[] =>
  keys
    .flatMap((key) => listValues(unit.entries, 'Unit', key))
    // Specifiers are for templates, whose instances are not followed so far.
    .filter((name) => !name.includes('%'));

const pulledBy = (unit: LoadedUnit): readonly string[] => [
  ...named(unit, 'Wants', 'Requires', 'Requisite', 'BindsTo', 'Upholds'),
  ...unit.pulls.map(({ name }) => name),
  // Units with default dependencies pull in what makes the system usable at all.
  ...(hasDefaults(unit) && typeOf(unit.name) !== 'target' ? ['sysinit.target'] : []),
];

const pathOfName = (unit: LoadedUnit, key: string, name: string): string =>
  unit.entries.find((entry) => entry.key === key && entry.value.split(/\s+/).includes(name))
    ?.path ?? unit.path;

/** What systemd adds by itself (systemd.service(5) and its kin, "Default Dependencies"). */
const implicitAfter: Readonly<Record<string, readonly string[]>> = {
  service: ['sysinit.target', 'basic.target'],
  socket: ['sysinit.target'],
  timer: ['sysinit.target'],
  path: ['sysinit.target'],
};

const implicitBefore: Readonly<Record<string, string>> = {
  socket: 'sockets.target',
  timer: 'timers.target',
  path: 'paths.target',
};

type Names = (name: string) => string | null;

const ownOrderings = (unit: LoadedUnit, nameOf: Names): readonly Ordering[] => {
  const to = (name: string, because: string): readonly Ordering[] => {
    const real = nameOf(name);
    return real === null ? [] : [{ from: unit.name, to: real, because }];
  };
  const from = (name: string, because: string): readonly Ordering[] => {
    const real = nameOf(name);
    return real === null ? [] : [{ from: real, to: unit.name, because }];
  };
  const type = typeOf(unit.name);
  const implicit = `${unit.path} (default dependencies)`;
  const before = implicitBefore[type];
  return [
    ...named(unit, 'After').flatMap((name) => to(name, pathOfName(unit, 'After', name))),
    ...named(unit, 'Before').flatMap((name) => from(name, pathOfName(unit, 'Before', name))),
    ...(hasDefaults(unit) ? (implicitAfter[type] ?? []).flatMap((name) => to(name, implicit)) : []),
    ...(hasDefaults(unit) && before !== undefined ? from(before, implicit) : []),
  ];
};

/** A target is after what it pulls in, unless one of both wants no defaults or the order is turned. */
const targetOrderings = (
  unit: LoadedUnit,
  units: ReadonlyMap<string, LoadedUnit>,
  nameOf: Names,
  turned: ReadonlySet<string>,
): readonly Ordering[] => {
  if (typeOf(unit.name) !== 'target' || !hasDefaults(unit)) return [];
  return [
    ...named(unit, 'Wants', 'Requires').map((name) => ({ name, link: unit.path })),
    ...unit.pulls,
  ].flatMap(({ name, link }) => {
    const real = nameOf(name);
    const other = real === null ? undefined : units.get(real);
    if (other === undefined || !hasDefaults(other)) return [];
    if (turned.has(`${other.name} ${unit.name}`)) return [];
    return [{ from: unit.name, to: other.name, because: link }];
  });
};

const requiredBy = (unit: LoadedUnit): readonly string[] => [
  ...named(unit, 'Requires', 'Requisite', 'BindsTo'),
  ...unit.pulls.filter(({ hard }) => hard).map(({ name }) => name),
];

const requiredUnits = (
  starts: readonly (string | null)[],
  units: ReadonlyMap<string, LoadedUnit>,
  nameOf: Names,
): ReadonlySet<string> => {
  const required = new Set<string>();
  const queue = [...starts];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const unit = name === null ? undefined : units.get(name);
    if (unit === undefined || required.has(unit.name)) continue;
    required.add(unit.name);
    queue.push(...requiredBy(unit).map(nameOf));
  }
  return required;
};

/**
 * What systemd would start at boot and in which order, read from the unit files alone. Units that
 * generators make (mounts of fstab, among others) are not in it.
 *
 * @param target the unit that the boot starts, normally `default.target`.
 */
export const readBootTransaction = async (
  files: SystemFiles,
  target: string,
): Promise<BootTransaction> => {
  const units = new Map<string, LoadedUnit>();
  const aliases = new Map<string, string>();
  let queue = [target];
  while (queue.length > 0 && units.size < mostUnits) {
    const fresh = [...new Set(queue)].filter((name) => !aliases.has(name));
    const loaded = await Promise.all(fresh.map((name) => loadUnit(files, name)));
    queue = [];
    for (const [index, unit] of loaded.entries()) {
      const name = fresh[index];
      if (unit === null || name === undefined) continue;
      aliases.set(name, unit.name);
      if (units.has(unit.name)) continue;
      aliases.set(unit.name, unit.name);
      units.set(unit.name, unit);
      queue.push(...pulledBy(unit));
    }
    queue = queue.filter((name) => !aliases.has(name));
  }
  const nameOf: Names = (name) => aliases.get(name) ?? null;
  const all = [...units.values()];
  const own = all.flatMap((unit) => ownOrderings(unit, nameOf));
  const pairs = new Set(own.map(({ from, to }) => `${from} ${to}`));
  const ofTargets = all.flatMap((unit) => targetOrderings(unit, units, nameOf, pairs));
  const start = nameOf(target);
  const emergencies = all.filter((unit) => named(unit, 'OnFailure').includes('emergency.target'));
  return {
    units,
    orderings: [...own, ...ofTargets],
    required: requiredUnits([start], units, nameOf),
    fatal: requiredUnits([start, ...emergencies.map(({ name }) => name)], units, nameOf),
  };
};
