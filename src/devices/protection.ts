import type { DeviceKind } from './device.ts';
import type { DeviceUse, DeviceUses } from './mounts.ts';

/** What protection needs to know of a device; the graph is sysfs' holders and partitions. */
export type ProtectionNode = {
  readonly name: string;
  /** Name that a person knows it by: `vg0-root`, `md0`, `sdb1`. */
  readonly shownName: string;
  readonly majorMinor: string | null;
  readonly kind: DeviceKind;
  readonly fsType: string | null;
  /** Names of what stands on it. */
  readonly children: readonly string[];
};

/** Tells rescuekit's own mounts from the host's. */
export type Ownership = {
  /** True for a mount point below a session's run directory. */
  readonly isOwnMount: (path: string) => boolean;
};

/** From weak to strong: a stronger reason is shown in place of a weaker one. */
const rank = { path: 1, inUse: 2, system: 3 } as const;

type Reason = { readonly rank: number; readonly text: string };

/** The mounts without which the rescue host itself does not run. */
const systemMounts = ['/', '/usr', '/boot', '/boot/efi', '/efi', '/var', '/home'];

const useReason = (use: DeviceUse): Reason => {
  if (use.kind === 'swap') return { rank: rank.inUse, text: 'used as swap by this machine' };
  return systemMounts.includes(use.path)
    ? { rank: rank.system, text: `this machine's own disk: ${use.path} is on it` }
    : { rank: rank.inUse, text: `mounted at ${use.path}` };
};

const strongest = (reasons: readonly (Reason | null)[]): Reason | null =>
  reasons.reduce<Reason | null>(
    (best, reason) => (reason !== null && reason.rank > (best?.rank ?? 0) ? reason : best),
    null,
  );

/** Why a device is not free when `upper` stands on it, though nothing of it may be mounted. */
const pathText = (upper: ProtectionNode): string | null =>
  upper.kind === 'multipath'
    ? `one path of the multipath disk ${upper.shownName}: choose that one`
    : null;

const isStack = (node: ProtectionNode): boolean =>
  ['raid', 'lvm', 'luks', 'mapper'].includes(node.kind);

type Graph = ReadonlyMap<string, ProtectionNode>;

const childrenOf = (graph: Graph, node: ProtectionNode): readonly ProtectionNode[] =>
  node.children.flatMap((name) => graph.get(name) ?? []);

const ownReason = (node: ProtectionNode, uses: DeviceUses, own: Ownership): Reason | null => {
  const all = (node.majorMinor === null ? null : uses.byDevice.get(node.majorMinor)) ?? [];
  const foreign = all.filter((use) => use.kind === 'swap' || !own.isOwnMount(use.path));
  const zfs =
    node.fsType === 'zfs_member' && uses.zfsMounted
      ? { rank: rank.inUse, text: 'may belong to a ZFS pool that is mounted on this machine' }
      : null;
  return strongest([...foreign.map(useReason), zfs]);
};

/** Reasons of each device and of all that stands on it. */
const upward = (graph: Graph, uses: DeviceUses, own: Ownership): Map<string, Reason | null> => {
  const reasons = new Map<string, Reason | null>();
  const visit = (node: ProtectionNode): Reason | null => {
    const known = reasons.get(node.name);
    if (known !== undefined) return known;
    const children = childrenOf(graph, node);
    const paths = children
      .flatMap((child) => pathText(child) ?? [])
      .map((text) => ({ rank: rank.path, text }));
    const reason = strongest([ownReason(node, uses, own), ...paths, ...children.map(visit)]);
    reasons.set(node.name, reason);
    return reason;
  };
  for (const node of graph.values()) visit(node);
  return reasons;
};

/** What a device hands on to those that stand on it. */
const handedDown = (reason: Reason | null, child: ProtectionNode): Reason | null => {
  if (reason === null || reason.rank === rank.path) return null;
  if (reason.rank === rank.system) return reason;
  // A volume group or array belongs to the host as a whole, partitions of one disk do not.
  const text = reason.text.startsWith('same group: ') ? reason.text : `same group: ${reason.text}`;
  return isStack(child) ? { rank: rank.inUse, text } : null;
};

/**
 * Which devices must not be touched, with the reason as a sentence; by name.
 *
 * A device is protected when the host has it or anything above it mounted or swaps to it, or when it
 * belongs to an array or group of which that is true. An active array or group that nobody uses is
 * free: udev activates those of every disk that is attached, so activity tells nothing. The host's
 * own disk is protected as a whole: a partition beside the host's root is not an attached disk.
 */
export const findProtection = (
  graph: Graph,
  uses: DeviceUses,
  own: Ownership,
): ReadonlyMap<string, string> => {
  const reasons = upward(graph, uses, own);
  const isChild = new Set([...graph.values()].flatMap((node) => node.children));
  const spread = (node: ProtectionNode) => {
    const reason = reasons.get(node.name) ?? null;
    for (const child of childrenOf(graph, node)) {
      const before = reasons.get(child.name) ?? null;
      const after = strongest([before, handedDown(reason, child)]);
      if (after !== before) reasons.set(child.name, after);
      spread(child);
    }
  };
  for (const node of graph.values()) if (!isChild.has(node.name)) spread(node);
  return new Map([...reasons].flatMap(([name, reason]) => (reason ? [[name, reason.text]] : [])));
};
