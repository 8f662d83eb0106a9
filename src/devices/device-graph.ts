import type { DeviceKind } from './device.ts';
import type { LsblkNode } from './lsblk.ts';

/** One block device of the kernel; devices that stand on several others appear once. */
export type GraphNode = {
  /** Kernel name, for instance `dm-0`. */
  readonly name: string;
  /** Kernel node, for instance `/dev/dm-0`. */
  readonly path: string;
  /** `vg0-root` for a mapping, else the kernel name. */
  readonly shownName: string;
  readonly kind: DeviceKind;
  readonly facts: LsblkNode;
  readonly children: readonly string[];
};

export type DeviceGraph = ReadonlyMap<string, GraphNode>;

const withoutDev = (path: string): string => path.replace(/^\/dev\//, '');

/** lsblk's TYPE: `raid1`, `linear` and the like are md levels; dm nodes are named by their UUID. */
export const kindOf = (type: string, kernelName: string): DeviceKind => {
  const named: Readonly<Record<string, DeviceKind>> = {
    part: 'partition',
    loop: 'loop',
    mpath: 'multipath',
    crypt: 'luks',
    lvm: 'lvm',
    rom: 'rom',
  };
  const kind = named[type];
  if (kind !== undefined) return kind;
  if (/^md/.test(kernelName)) return 'raid';
  return /^dm-/.test(kernelName) ? 'mapper' : 'disk';
};

// Compressed RAM is no disk, and a size of 0 is a drive without a medium or a loop without a file.
const isShown = (node: LsblkNode): boolean =>
  (node.size ?? 0) > 0 && !withoutDev(node.kname).startsWith('zram');

/** The kernel's devices by name, in lsblk's order. */
export const buildGraph = (roots: readonly LsblkNode[]): DeviceGraph => {
  const graph = new Map<string, GraphNode>();
  const visit = (facts: LsblkNode) => {
    const name = withoutDev(facts.kname);
    const shown = (facts.children ?? []).filter(isShown);
    const known = graph.get(name)?.children ?? [];
    const children = [...new Set([...known, ...shown.map((child) => withoutDev(child.kname))])];
    graph.set(name, {
      name,
      path: facts.kname,
      shownName: withoutDev(facts.name).replace(/^mapper\//, ''),
      kind: kindOf(facts.type, name),
      facts,
      children,
    });
    for (const child of shown) visit(child);
  };
  for (const root of roots.filter(isShown)) visit(root);
  return graph;
};

/**
 * The names at the top. A multipath map is the disk itself and stands at the top, its paths
 * (`sda`, `sdb`) stand beside it.
 */
export const topNames = (graph: DeviceGraph): readonly string[] => {
  const nodes = [...graph.values()];
  const below = new Set(nodes.flatMap((node) => node.children));
  return nodes
    .filter((node) => node.kind === 'multipath' || !below.has(node.name))
    .map((node) => node.name);
};
