import { type Device, flattenDevice } from '../../devices/device.ts';
import type { LayerContext } from '../layer.ts';
import type { LvmGroup, LvmPv } from './report.ts';

/** A physical volume on an attached disk. */
export type PvNode = {
  /** Where its data are: the partition, array or encrypted volume. */
  readonly device: Device;
  /** The session's private view of it, when there is one. */
  readonly cover: Device | null;
  /** Number of the disk among those of the same side (the target's, or the free ones). */
  readonly disk: number;
};

/** The node that LVM is shown. */
export const shownDevice = ({ device, cover }: PvNode): Device => cover ?? device;

/** A group as it lies on certain devices; a clone of it is another instance. */
export type GroupInstance = {
  readonly group: LvmGroup;
  readonly nodes: readonly PvNode[];
  readonly missing: readonly LvmPv[];
  /** Why it cannot be told which devices belong together, or null. */
  readonly ambiguous: string | null;
};

/** Tells the private view of a physical volume from what else a session covers. */
export const coverLabel = (device: Device): string => `pv-${device.name}`;

/** Names of the private views of physical volumes that a session makes. */
export const coverName = (session: string, device: Device): string =>
  `rescuekit-${session}-${coverLabel(device)}`;

const isCover = (device: Device): boolean =>
  device.aliases.some((alias) => /^\/dev\/mapper\/rescuekit-[0-9a-f]+-pv-/.test(alias));

const coverOf = (device: Device, session: string): Device | null =>
  device.children.find(({ aliases }) =>
    aliases.includes(`/dev/mapper/${coverName(session, device)}`),
  ) ?? null;

/** All physical volumes on these disks that may be used, each once. */
export const findPvNodes = (disks: readonly Device[], session: string): readonly PvNode[] => {
  const found = new Map<string, PvNode>();
  for (const [disk, top] of disks.entries()) {
    for (const device of flattenDevice(top)) {
      const usable = device.fsType === 'LVM2_member' && device.protected === null;
      // The paths of a multipath disk carry the same bytes as the disk.
      const isPath = device.children.some(({ kind }) => kind === 'multipath');
      if (!usable || isPath || isCover(device) || device.path === null) continue;
      if (found.has(device.path)) continue;
      found.set(device.path, { device, cover: coverOf(device, session), disk });
    }
  }
  return [...found.values()];
};

/** The copies of each physical volume, by its UUID. */
const byUuid = (nodes: readonly PvNode[]): ReadonlyMap<string, readonly PvNode[]> =>
  Map.groupBy(nodes, ({ device }) => device.uuid ?? device.name);

/**
 * Sets of devices in which no physical volume comes twice, for LVM takes one of two copies silently.
 * The first holds every one of the target's, and of the other disks what the target has not and what
 * is there only once. Each further set holds further copies, in the order of their disks.
 */
export const readingSets = (
  ours: readonly PvNode[],
  free: readonly PvNode[],
): readonly (readonly PvNode[])[] => {
  const copies = [...byUuid(ours).values()];
  const known = new Set(byUuid(ours).keys());
  const drawn = [...byUuid(free)].flatMap(([uuid, nodes]) =>
    known.has(uuid) || nodes.length !== 1 ? [] : nodes,
  );
  const rounds = Math.max(0, ...copies.map((nodes) => nodes.length));
  return Array.from({ length: rounds }, (_, round) => [
    ...copies.flatMap((nodes) => nodes[round] ?? []),
    ...(round === 0 ? drawn : []),
  ]);
};

const copiesNote = 'Copies of its disks are attached, and nothing tells which belong together';

/** Joins what LVM reported about one set with the devices of that set. */
export const instancesOf = (
  groups: readonly LvmGroup[],
  set: readonly PvNode[],
  ours: readonly PvNode[],
  free: readonly PvNode[],
): readonly GroupInstance[] => {
  const numbers = new Map(set.map((node) => [shownDevice(node).majorMinor, node]));
  const several = (nodes: readonly PvNode[], limit: number) =>
    new Set([...byUuid(nodes)].flatMap(([uuid, all]) => (all.length > limit ? [uuid] : [])));
  const doubled = several(ours, 1);
  const doubledFree = several(free, 1);
  return groups.flatMap((group) => {
    const nodes = group.pvs.flatMap(({ majorMinor }) => numbers.get(majorMinor) ?? []);
    if (!nodes.some((node) => ours.includes(node))) return [];
    const missing = group.pvs.filter(({ majorMinor }) => !numbers.has(majorMinor));
    const cloned = nodes.some(({ device }) => doubled.has(device.uuid ?? device.name));
    const oneDisk = missing.length === 0 && new Set(nodes.map(({ disk }) => disk)).size === 1;
    const unclear =
      (cloned && !oneDisk && group.pvs.length > 1) ||
      missing.some(({ uuid }) => doubledFree.has(uuid));
    return [{ group, nodes, missing, ambiguous: unclear ? copiesNote : null }];
  });
};

/** All physical volumes of the context: the target's, and those on other free disks. */
export const nodesOf = ({ ours, free, session }: LayerContext) => {
  const own = findPvNodes(ours, session);
  const paths = new Set(own.map(({ device }) => device.path));
  return {
    ours: own,
    free: findPvNodes(free, session).filter(({ device }) => !paths.has(device.path)),
  };
};
