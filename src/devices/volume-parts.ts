import type { Device } from './device.ts';
import { flattenDevice } from './device.ts';
import type { DeviceGraph, GraphNode } from './device-graph.ts';
import type { SysfsFacts } from './sysfs.ts';

type Facts = ReadonlyMap<string, SysfsFacts>;

/** `LVM-` and the UUID of the group. */
const groupOf = (name: string, facts: Facts): string | null => {
  const uuid = facts.get(name)?.mapper?.uuid ?? null;
  return uuid?.startsWith('LVM-') === true ? uuid.slice(0, 'LVM-'.length + 32) : null;
};

/**
 * Whether other volumes of the same group stand on this one: an image of a mirror, the data of a
 * pool, the origin below a snapshot. It shows the bytes of the volume that it is a part of, with the
 * same UUID, and nobody mounts it.
 */
export const isVolumePart = (node: GraphNode, graph: DeviceGraph, facts: Facts): boolean => {
  const group = groupOf(node.name, facts);
  return (
    group !== null &&
    node.children.some((child) => graph.has(child) && groupOf(child, facts) === group)
  );
};

/**
 * Whether a volume is a snapshot of the old kind: LVM keeps its changes in `NAME-cow`. It has the
 * UUID of its origin, and fstab means the origin.
 */
export const isOldSnapshot = (device: Device, trees: readonly Device[]): boolean => {
  const store = new Set(
    device.aliases
      .filter((alias) => alias.startsWith('/dev/mapper/'))
      .map((alias) => `${alias}-cow`),
  );
  return (
    device.kind === 'lvm' &&
    trees.flatMap(flattenDevice).some(({ aliases }) => aliases.some((alias) => store.has(alias)))
  );
};
