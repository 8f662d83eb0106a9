import type { Host } from './host.ts';
import { isBelow, parseMountInfo } from './mount-table.ts';
import { listProcesses, readProcess } from './processes.ts';

/** A process that keeps something busy, with what it does there. */
export type Holder = {
  readonly pid: number;
  readonly name: string;
  /** For instance `working directory`, `open file /x`, `its mount namespace`. */
  readonly how: string;
};

/** Device and mount point that someone may hold. */
export type Held = { readonly path: string | null; readonly majorMinor: string | null };

const openPaths = async (
  host: Host,
  pid: number,
): Promise<readonly (readonly [string, string])[]> => {
  const link = async (name: string) =>
    host.files.readLink(`/proc/${pid}/${name}`).catch(() => null);
  const descriptors = (await host.files.list(`/proc/${pid}/fd`).catch(() => null)) ?? [];
  const all = await Promise.all([
    link('cwd').then((path) => [path, 'working directory'] as const),
    link('root').then((path) => [path, 'root directory'] as const),
    link('exe').then((path) => [path, 'running program'] as const),
    ...descriptors.map((fd) =>
      link(`fd/${fd}`).then((path) => [path, `open file ${path}`] as const),
    ),
  ]);
  return all.flatMap(([path, how]) => (path === null ? [] : [[path, how] as const]));
};

const holdsBy = async (
  host: Host,
  pid: number,
  held: Held,
  ownNamespace: string | null,
): Promise<string | null> => {
  const namespace = await host.files.readLink(`/proc/${pid}/ns/mnt`).catch(() => null);
  if (namespace !== null && namespace !== ownNamespace) {
    const mounts = parseMountInfo((await readProcess(host.files, pid, 'mountinfo')) ?? '');
    const there = mounts.find((mount) => mount.majorMinor === held.majorMinor);
    return there === undefined ? null : `its mount namespace, at ${there.path}`;
  }
  if (held.path === null) return null;
  for (const [path, how] of await openPaths(host, pid)) {
    if (isBelow(path, held.path)) return how;
  }
  return null;
};

/**
 * Who keeps a mount or device busy, in this and in every other mount namespace (a container whose
 * manager was killed is seen only there: /proc/PID/mountinfo).
 */
export const findHolders = async (host: Host, held: Held): Promise<readonly Holder[]> => {
  const own = await host.files.readLink('/proc/self/ns/mnt');
  const found = await Promise.all(
    (await listProcesses(host.files)).map(async (pid) => {
      if (pid === process.pid) return [];
      const how = await holdsBy(host, pid, held, own);
      if (how === null) return [];
      const name = ((await readProcess(host.files, pid, 'comm')) ?? '?').trim();
      return [{ pid, name, how }];
    }),
  );
  return found.flat();
};

/** "bash (pid 4711, working directory)" and the like, at most three by name. */
export const describeHolders = (holders: readonly Holder[]): string => {
  const named = holders.slice(0, 3).map(({ name, pid, how }) => `${name} (pid ${pid}, ${how})`);
  const more = holders.length > 3 ? [`${holders.length - 3} more`] : [];
  return [...named, ...more].join(', ');
};
