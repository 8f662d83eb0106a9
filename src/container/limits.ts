import { shellLine, shellQuote } from '../host/command.ts';
import type { Host } from '../host/host.ts';
import { gone, type UndoResult, undone } from '../host/undo-result.ts';
import { waitUntil } from '../host/wait.ts';

/** One control group to make, with the values to set in it. */
export type Cgroup = {
  readonly path: string;
  readonly values: readonly (readonly [file: string, value: string])[];
};

const root = '/sys/fs/cgroup';

/** The hierarchies in which nspawn makes groups of its own for the container (cgroups(7)). */
const trackingHierarchies = async (host: Host): Promise<readonly string[]> => {
  const found = await Promise.all(
    ['systemd', 'unified'].map(async (name) =>
      (await host.files.status(`${root}/${name}/cgroup.procs`)) === null ? [] : [name],
    ),
  );
  return found.flat();
};

/** Since this version systemd is at home on the unified hierarchy. */
const unifiedSince = 233;

/**
 * Which hierarchy nspawn is to show the guest, as its environment has it. On a host that has both
 * (hybrid) nspawn gives the guest both, where a systemd complains on the console about groups that
 * it cannot link, and one from 256 on refuses to start; the unified one alone serves it well.
 *
 * @param guestVersion the guest's systemd; null or an old one gets nspawn's own choice.
 */
export const hierarchyEnvironment = async (
  host: Host,
  guestVersion: number | null,
): Promise<Readonly<Record<string, string>>> => {
  if (guestVersion === null || guestVersion < unifiedSince) return {};
  const hybrid = (await trackingHierarchies(host)).includes('unified');
  return hybrid ? { SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1' } : {};
};

const wantedLimits = (memoryBytes: number | null, tasks: number | null) => [
  ...(memoryBytes === null ? [] : [['memory', `${memoryBytes}`] as const]),
  ...(tasks === null ? [] : [['pids', `${tasks}`] as const]),
];

/**
 * The control groups of a session's container on a host without systemd, where nobody else gives
 * it any: one on the unified hierarchy, or one per controller on the legacy one (cgroups(7)).
 *
 * Also without limits: nspawn makes its groups below those of its caller, so two containers side by
 * side would share them, and what a killed container leaves there would stay.
 *
 * @param memoryBytes limit of memory, null for none; @param tasks limit of processes.
 */
export const cgroupsFor = async (
  host: Host,
  session: string,
  memoryBytes: number | null,
  tasks: number | null,
): Promise<readonly Cgroup[]> => {
  const name = `rescuekit-${session}`;
  const wanted = wantedLimits(memoryBytes, tasks);
  if ((await host.files.status(`${root}/cgroup.controllers`)) !== null) {
    const values = wanted.map(([controller, value]) => [`${controller}.max`, value] as const);
    return [{ path: `${root}/${name}`, values }];
  }
  const legacyFile = { memory: 'memory.limit_in_bytes', pids: 'pids.max' } as const;
  const tracking = await trackingHierarchies(host);
  return [
    ...tracking.map((hierarchy) => ({ path: `${root}/${hierarchy}/${name}`, values: [] })),
    ...wanted.map(([controller, value]) => ({
      path: `${root}/${controller}/${name}`,
      values: [[legacyFile[controller], value] as const],
    })),
  ];
};

/** Paths of this process by hierarchy (cgroups(7)): the unified one has the number 0 and no name. */
const ownPaths = async (host: Host) => {
  const lines = ((await host.files.readText('/proc/self/cgroup')) ?? '').split('\n');
  const path = (beginning: string): string | null =>
    lines.find((line) => line.includes(beginning))?.replace(/^\d+:[^:]*:/, '') ?? null;
  return { unified: path('0::'), systemd: path(':name=systemd:') };
};

/**
 * The control groups of short programs in a container without a unit of its own. nspawn makes its
 * groups below those of its caller, and leaves them there: where systemd has given the caller its
 * group, one below that is made for it, so that it can be taken away again.
 */
export const commandCgroups = async (
  host: Host,
  session: string,
  systemd: boolean,
): Promise<readonly Cgroup[]> => {
  if (!systemd) return cgroupsFor(host, session, null, null);
  const name = `rescuekit-${session}`;
  const { unified, systemd: named } = await ownPaths(host);
  const below = (top: string, path: string | null): readonly Cgroup[] =>
    // Of a group outside of its own namespace the kernel says /../ (cgroup_namespaces(7)).
    path === null || path.includes('/..')
      ? []
      : [{ path: `${top}${path.replace(/\/$/, '')}/${name}`, values: [] }];
  if ((await host.files.status(`${root}/cgroup.controllers`)) !== null) return below(root, unified);
  const tracking = await trackingHierarchies(host);
  return tracking.flatMap((hierarchy) =>
    below(`${root}/${hierarchy}`, hierarchy === 'unified' ? unified : named),
  );
};

/** The program with a shell before it that moves itself, and then becomes it. */
const afterMoving = (
  words: readonly string[],
  cgroups: readonly Cgroup[],
  move: (into: string) => string,
): readonly string[] => {
  if (cgroups.length === 0) return words;
  const moves = cgroups.map(({ path }) => move(`echo $$ > ${shellQuote(path)}/cgroup.procs`));
  return ['/bin/sh', '-c', `${moves.join(' ')} exec ${shellLine(words)}`];
};

/** Runs a program in the control groups and nowhere else, so that no process of it escapes. */
export const inCgroups = (words: readonly string[], cgroups: readonly Cgroup[]) =>
  afterMoving(words, cgroups, (into) => `${into} &&`);

/** The same for groups that are only there to be taken away again: without them it runs, too. */
export const inCgroupsIfPossible = (words: readonly string[], cgroups: readonly Cgroup[]) =>
  afterMoving(words, cgroups, (into) => `{ ${into}; } 2>/dev/null;`);

/** Makes the groups and sets their limits. @throws Error when the controller is not there. */
export const makeCgroups = async (host: Host, cgroups: readonly Cgroup[]): Promise<void> => {
  for (const { path, values } of cgroups) {
    await host.files.ensureDirectory(path, 0o755);
    for (const [file, value] of values) await host.files.writeControl(`${path}/${file}`, value);
  }
};

/** Removes groups below the deepest first; a group with a living process in it stays busy. */
export const removeCgroups = async (host: Host, paths: readonly string[]): Promise<UndoResult> => {
  let removed = false;
  for (const path of paths) {
    if ((await host.files.status(path)) === null) continue;
    const attempt = () =>
      removeTree(host, path).catch((error: NodeJS.ErrnoException) => {
        // EBUSY: the last process is just going.
        if (error.code === 'EBUSY') return false;
        throw error;
      });
    if (!(await waitUntil(attempt, 2000))) {
      return { outcome: 'left', reason: `control group ${path} still has processes` };
    }
    removed = true;
  }
  return removed ? undone : gone;
};

const removeTree = async (host: Host, path: string): Promise<boolean> => {
  for (const name of (await host.files.list(path)) ?? []) {
    const child = `${path}/${name}`;
    if (
      (await host.files.status(child))?.kind === 'directory' &&
      !(await removeTree(host, child))
    ) {
      return false;
    }
  }
  return (await host.files.removeDirectory(path)) || (await host.files.status(path)) === null;
};
