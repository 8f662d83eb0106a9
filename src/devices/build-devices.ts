import type { Probe } from './blkid.ts';
import { blankDevice, type Device } from './device.ts';
import type { DeviceGraph, GraphNode } from './device-graph.ts';
import { mapperLinks } from './mapper-links.ts';
import type { DeviceUse, DeviceUses } from './mounts.ts';
import type { TablePartition } from './partition-table.ts';
import { findProtection, type Ownership } from './protection.ts';
import type { SysfsFacts } from './sysfs.ts';
import { volumeId } from './volume-id.ts';
import { isVolumePart } from './volume-parts.ts';

/** A partition that stands in the table and that the kernel does not know, with its contents. */
export type HiddenPartition = TablePartition & { readonly probe: Probe | null };

/** Everything that was read, before it becomes one tree. */
export type DeviceReadings = {
  readonly graph: DeviceGraph;
  readonly top: readonly string[];
  /** By kernel name. */
  readonly sysfs: ReadonlyMap<string, SysfsFacts>;
  /** By kernel node. */
  readonly probes: ReadonlyMap<string, Probe>;
  /** By kernel name of the disk. */
  readonly hidden: ReadonlyMap<string, readonly HiddenPartition[]>;
  /** Tables that the first sector does not announce, by kernel name of the disk. */
  readonly lost: ReadonlyMap<string, readonly TablePartition[]>;
  /** By kernel node. */
  readonly links: ReadonlyMap<string, readonly string[]>;
  readonly uses: DeviceUses;
  readonly own: Ownership;
};

/** lsblk leaves TRAN empty for what has no bus that it knows; the driver's names are fixed. */
const transportOf = ({ name, kind, facts }: GraphNode): string | null => {
  if (kind === 'loop') return 'loop';
  if (kind !== 'disk' && kind !== 'rom') return null;
  if (facts.tran !== null) return facts.tran;
  const byDriver = {
    vd: 'virtio',
    xvd: 'xen',
    nvme: 'nvme',
    sd: 'scsi',
    sr: 'scsi',
    mmcblk: 'mmc',
    nbd: 'nbd',
  };
  return Object.entries(byDriver).find(([prefix]) => name.startsWith(prefix))?.[1] ?? null;
};

const mountpointOf = (use: DeviceUse): string => (use.kind === 'swap' ? '[SWAP]' : use.path);

/** Contents: udev's word (lsblk), else what probing found, else what the kernel has mounted. */
const contentsOf = (node: GraphNode, readings: DeviceReadings) => {
  const { facts } = node;
  const probe = readings.probes.get(node.path);
  const uses = readings.uses.byDevice.get(facts['maj:min']) ?? [];
  const mounted = uses.find((use) => use.kind === 'mount')?.fsType ?? null;
  const swapped = uses.some((use) => use.kind === 'swap') ? 'swap' : null;
  // What a part of a volume shows belongs to the volume.
  const isPart = isVolumePart(node, readings.graph, readings.sysfs);
  return {
    fsType: isPart ? null : (facts.fstype ?? probe?.fsType ?? mounted ?? swapped),
    label: isPart ? null : (facts.label ?? probe?.label ?? null),
    uuid: isPart ? null : (facts.uuid ?? probe?.uuid ?? null),
    // Filled in by `describeStacks`, where somebody wants to know.
    stack: null,
    duplicateOf: null,
    // udev hands the disk's table down to its partitions.
    partitionTable:
      node.kind === 'partition'
        ? null
        : readings.lost.has(node.name)
          ? 'gpt'
          : (facts.pttype ?? probe?.partitionTable ?? null),
    mountpoints: [...new Set(uses.map(mountpointOf))],
  };
};

const partitionOf = (node: GraphNode, readings: DeviceReadings): Device['partition'] => {
  if (node.kind !== 'partition') return null;
  const { facts } = node;
  const kernel = readings.sysfs.get(node.name);
  const entry =
    readings.probes.get(node.path)?.entry ??
    // blkid reads the disk's table for it, and finds none there that is announced.
    [...readings.lost.values()].flat().find(({ name }) => name === node.name);
  // Partitions of a multipath disk are mappings without these attributes: `mpatha-part2`.
  const trailing = Number(/(\d+)$/.exec(node.shownName)?.[1] ?? 0);
  return {
    number: kernel?.partitionNumber ?? entry?.number ?? trailing,
    startBytes: kernel?.startBytes ?? entry?.startBytes ?? 0,
    uuid: facts.partuuid ?? entry?.uuid ?? null,
    label: facts.partlabel ?? entry?.label ?? null,
    type: facts.parttype ?? entry?.type ?? null,
  };
};

/** A multipath map has no hardware of its own: its identity is that of its paths. */
const hardwareNode = (node: GraphNode, graph: DeviceGraph): GraphNode =>
  node.kind === 'multipath'
    ? ([...graph.values()].find((path) => path.children.includes(node.name)) ?? node)
    : node;

const identityOf = (node: GraphNode, readings: DeviceReadings) => {
  const source = hardwareNode(node, readings.graph);
  const facts = readings.sysfs.get(source.name);
  const serial = facts?.serial ?? source.facts.serial;
  const model = facts?.model ?? source.facts.model;
  const vendor = facts?.vendor ?? source.facts.vendor;
  const links = readings.links.get(source.path) ?? [];
  const isDisk = source.kind === 'disk';
  return {
    serial,
    model,
    transport: transportOf(source),
    volumeId: isDisk ? volumeId({ serial, model, vendor, links, name: source.name }) : null,
  };
};

const aliasesOf = (node: GraphNode, readings: DeviceReadings): readonly string[] => {
  const mapper = readings.sysfs.get(node.name)?.mapper ?? null;
  return [
    ...new Set([
      ...(node.facts.name === node.path ? [] : [node.facts.name]),
      ...(readings.links.get(node.path) ?? []),
      ...(mapper === null ? [] : mapperLinks(mapper)),
    ]),
  ];
};

const reasonOf = (reason: string | undefined): Device['protected'] =>
  reason === undefined ? null : { reason };

const hiddenDevice = (
  disk: GraphNode,
  entry: HiddenPartition,
  protection: Device['protected'],
): Device => ({
  ...blankDevice,
  path: null,
  name: entry.name,
  kind: 'partition',
  sizeBytes: entry.sizeBytes,
  readOnly: disk.facts.ro,
  partition: {
    number: entry.number,
    startBytes: entry.startBytes,
    uuid: entry.uuid,
    label: entry.label,
    type: entry.type,
  },
  fsType: entry.probe?.fsType ?? null,
  label: entry.probe?.label ?? null,
  uuid: entry.probe?.uuid ?? null,
  protected: protection,
});

const protectionOf = (readings: DeviceReadings): ReadonlyMap<string, string> =>
  findProtection(
    new Map(
      [...readings.graph].map(([name, node]) => [
        name,
        {
          ...node,
          majorMinor: node.facts['maj:min'],
          fsType: contentsOf(node, readings).fsType,
        },
      ]),
    ),
    readings.uses,
    readings.own,
  );

/** Joins all readings into the trees of the top-level disks. */
export const buildDevices = (readings: DeviceReadings): readonly Device[] => {
  const { graph } = readings;
  const reasons = protectionOf(readings);
  const built = new Map<string, Device>();
  const build = (name: string): readonly Device[] => {
    const node = graph.get(name);
    if (node === undefined) return [];
    const known = built.get(name);
    if (known !== undefined) return [known];
    const protection = reasonOf(reasons.get(name));
    const hidden = readings.hidden.get(name) ?? [];
    // A multipath disk stands at the top; below each of its paths it would be there several times.
    const below = node.children.filter((child) => graph.get(child)?.kind !== 'multipath');
    const device: Device = {
      path: node.path,
      name,
      aliases: [...aliasesOf(node, readings)],
      majorMinor: node.facts['maj:min'],
      kind: node.kind,
      sizeBytes: node.facts.size ?? 0,
      ...identityOf(node, readings),
      readOnly: node.facts.ro,
      backingFile: readings.sysfs.get(name)?.backingFile ?? null,
      ...contentsOf(node, readings),
      partition: partitionOf(node, readings),
      protected: protection,
      children: [
        ...below.flatMap(build),
        ...hidden.map((entry) => hiddenDevice(node, entry, protection)),
      ],
    };
    built.set(name, device);
    return [device];
  };
  return readings.top.flatMap(build);
};
