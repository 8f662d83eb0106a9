import { mapBounded } from '../host/bounded.ts';
import type { Host } from '../host/host.ts';
import { type Probe, probeDevices, probeRange } from './blkid.ts';
import { buildDevices, type HiddenPartition } from './build-devices.ts';
import type { Device } from './device.ts';
import { buildGraph, type DeviceGraph, type GraphNode, topNames } from './device-graph.ts';
import { readDiskLinks } from './disk-links.ts';
import { readLsblk } from './lsblk.ts';
import { readUses } from './mounts.ts';
import { isExtended, readPartitionTable, type TablePartition } from './partition-table.ts';
import type { Ownership } from './protection.ts';
import { readStaleMappings } from './stale-mappings.ts';
import { readSysfs, type SysfsFacts } from './sysfs.ts';
import { readUnannounced } from './unannounced-gpt.ts';

const callsAtATime = 4;

/** A disk that was attached a second ago has stale data in udev's database: wait for its events. */
const settleUdev = async (host: Host): Promise<void> => {
  // udevd keeps this file while events are pending (udevadm settle looks at the same).
  if ((await host.files.status('/run/udev/queue')) === null) return;
  await host.run({
    program: 'udevadm',
    args: ['settle', '--timeout=10'],
    // 1: still busy after that time; blkid then reads the devices themselves.
    accept: [0, 1],
    changes: false,
  });
};

const needsProbe = ({ kind, facts }: GraphNode): boolean =>
  kind === 'partition'
    ? facts.fstype === null || facts.partuuid === null
    : facts.fstype === null && facts.pttype === null;

const probeEntries = (
  host: Host,
  node: GraphNode,
  entries: readonly TablePartition[],
): Promise<readonly HiddenPartition[]> =>
  mapBounded(entries, callsAtATime, async (entry) => ({
    ...entry,
    probe:
      isExtended(entry.type) || entry.sizeBytes === 0
        ? null
        : await probeRange(host, node.path, entry.startBytes, entry.sizeBytes),
  }));

const readTable = async (
  host: Host,
  node: GraphNode,
  sectorBytes: number,
): Promise<readonly HiddenPartition[]> =>
  probeEntries(host, node, await readPartitionTable(host, node.path, sectorBytes));

/** The kernel takes no partitions of what device-mapper shows: a volume may be the disk of a guest. */
const takesPartitions = ({ kind }: GraphNode): boolean =>
  kind === 'disk' || kind === 'loop' || kind === 'raid';

/**
 * Tables that the first sector does not announce, by kernel name of the disk: those of disks on which
 * neither udev nor blkid finds anything else. Their partitions may have been added to the kernel by now.
 */
const readLost = async (
  host: Host,
  graph: DeviceGraph,
  probes: ReadonlyMap<string, Probe>,
): Promise<ReadonlyMap<string, readonly TablePartition[]>> => {
  const blank = [...graph.values()].filter((node) => {
    const { facts, path } = node;
    const probe = probes.get(path);
    const table = facts.pttype ?? probe?.partitionTable ?? null;
    // A mark at the end of the first sector alone makes an MBR without partitions of it.
    const mayHave = (table === null || table === 'dos') && (facts.size ?? 0) > 0;
    const isFilled = (facts.fstype ?? probe?.fsType ?? null) !== null;
    return takesPartitions(node) && mayHave && !isFilled;
  });
  const tables = await mapBounded(
    blank,
    callsAtATime,
    async ({ name, path }) => [name, await readUnannounced(host, path)] as const,
  );
  return new Map(tables.filter(([, entries]) => entries.length > 0));
};

/** Disks with a partition table of which the kernel shows no partition. */
const readHidden = async (
  host: Host,
  graph: DeviceGraph,
  probes: ReadonlyMap<string, Probe>,
  sysfs: ReadonlyMap<string, SysfsFacts>,
  lost: ReadonlyMap<string, readonly TablePartition[]>,
): Promise<ReadonlyMap<string, readonly HiddenPartition[]>> => {
  const unread = [...graph.values()].filter(
    ({ name, children }) => children.length === 0 && lost.has(name),
  );
  const disks = [...graph.values()].filter((node) => {
    const table = node.facts.pttype ?? probes.get(node.path)?.partitionTable ?? null;
    const hasTable = table === 'gpt' || table === 'dos';
    return hasTable && node.kind !== 'partition' && node.children.length === 0;
  });
  const tables = await mapBounded(
    disks,
    callsAtATime,
    async (node) =>
      [node.name, await readTable(host, node, sysfs.get(node.name)?.sectorBytes ?? 512)] as const,
  );
  const more = await mapBounded(
    unread,
    callsAtATime,
    async (node) => [node.name, await probeEntries(host, node, lost.get(node.name) ?? [])] as const,
  );
  return new Map([...tables, ...more]);
};

/**
 * All block devices of the host with what is on them and why some must not be touched. Reads only.
 *
 * @throws RescueError `MISSING_PROGRAM` without lsblk, blkid or sfdisk, `COMMAND_FAILED`.
 */
export const readDevices = async (host: Host, own: Ownership): Promise<readonly Device[]> => {
  await settleUdev(host);
  const [listed, links, uses] = await Promise.all([
    readLsblk(host),
    readDiskLinks(host.files),
    readUses(host),
  ]);
  const graph = buildGraph(listed);
  const nodes = [...graph.values()];
  const [facts, probes] = await Promise.all([
    Promise.all(nodes.map(async (node) => [node.name, await readSysfs(host.files, node)] as const)),
    probeDevices(
      host,
      nodes.filter(needsProbe).map((node) => node.path),
    ),
  ]);
  const sysfs = new Map(facts);
  const lost = await readLost(host, graph, probes);
  const hidden = await readHidden(host, graph, probes, sysfs, lost);
  const readings = { graph, top: topNames(graph), sysfs, probes, hidden, lost, links, uses, own };
  return [...buildDevices(readings), ...(await readStaleMappings(host, graph, uses))];
};

/**
 * The device with this name: its node, one of its other names, or the name that a partition which
 * the kernel does not know would have. Links are resolved by the caller.
 */
export const findDevice = (devices: readonly Device[], path: string): Device | null => {
  for (const device of devices) {
    if ((device.path ?? `/dev/${device.name}`) === path || device.aliases.includes(path)) {
      return device;
    }
    const below = findDevice(device.children, path);
    if (below !== null) return below;
  }
  return null;
};
