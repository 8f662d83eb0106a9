import { type Device, flattenDevice } from '../devices/device.ts';
import { protectiveMbr } from '../devices/gpt.ts';
import { kernelName, partitionNode } from '../devices/kernel-name.ts';
import { readPartitionTable } from '../devices/partition-table.ts';
import { readUnannounced } from '../devices/unannounced-gpt.ts';
import type { Host } from '../host/host.ts';
import type { Step } from '../host/step.ts';
import { gone, leftBusy, type UndoResult, undone } from '../host/undo-result.ts';
import { waitUntil } from '../host/wait.ts';
import type { Layer, Opening } from './layer.ts';

/** Whoever opens a partition for a moment after an unmount (udev, a scan) lets go within this time. */
const patienceMilliseconds = 1000;

/** losetup makes devices with sectors of this size unless it is told otherwise. */
const loopSectorBytes = 512;

const partitionOpening = (disk: string, step: Step): Opening => ({
  key: step.title,
  layer: 'partitions',
  what: `the partitions of ${disk}`,
  devices: [disk],
  rank: 0,
  need: { kind: 'nothing' },
  commands: () => step.commands.map(({ program, args }) => [program, ...args]),
  open: async (perform) => {
    await perform(step);
  },
  aliases: {},
});

/** Partition tables on disks and arrays, for kernels that do not read them by themselves. */
export const partitionLayer: Layer = {
  name: 'partitions',
  probe: async ({ host, ours }) => {
    const openings = ours.flatMap(flattenDevice).map(async (device) => {
      const step = await addPartitions(host, device);
      return step === null || device.path === null ? [] : [partitionOpening(device.path, step)];
    });
    return (await Promise.all(openings)).flat();
  },
};

/** A partition that the kernel is to be told of. */
type Unknown = { readonly number: number; readonly startBytes: number; readonly sizeBytes: number };

/**
 * The step that tells the kernel about partitions it does not know, because it was built without
 * parsers for partition tables or the table is not announced. Null when it knows them all.
 */
const addPartitions = async (host: Host, disk: Device): Promise<Step | null> => {
  const unknown = disk.children.flatMap((child): readonly Unknown[] =>
    child.path === null && child.partition !== null
      ? [{ ...child.partition, sizeBytes: child.sizeBytes }]
      : [],
  );
  if (disk.path === null || unknown.length === 0) return null;
  const identity = await diskIdentity(host, disk.path);
  const isGpt = disk.partitionTable === 'gpt';
  const first = isGpt ? await host.files.readAt(disk.path, 0, 512) : null;
  return first !== null && protectiveMbr(first) === 'missing'
    ? addEachStep(disk.path, unknown, identity)
    : addStep(disk.path, unknown, identity);
};

/**
 * Tells one disk from the next one under the same name: the kernel counts every disk and every
 * file that a loop device shows (diskseq, Linux 5.15); before that the file alone tells. Null for
 * a device that keeps its name as long as it is attached.
 */
const diskIdentity = async (host: Host, disk: string): Promise<string | null> => {
  const directory = `/sys/block/${kernelName(disk)}`;
  const [sequence, file] = await Promise.all(
    ['diskseq', 'loop/backing_file'].map((name) => host.files.readText(`${directory}/${name}`)),
  );
  return (sequence ?? file ?? null)?.trim() ?? null;
};

const undoOf = (
  device: string,
  partitions: readonly Unknown[],
  identity: string | null,
): Step['undo'] => ({
  kind: 'remove-partitions',
  device,
  numbers: partitions.map(({ number }) => number),
  identity,
});

const addStep = (disk: string, partitions: readonly Unknown[], identity: string | null): Step => ({
  title: `Add the partitions of ${disk}`,
  // One call for all: partx skips those that the kernel has already.
  commands: [{ program: 'partx', args: ['--add', disk], accept: [0, 1] }],
  why: 'This kernel does not read partition tables by itself.',
  risk: 'none: nothing is written to the disk',
  undo: undoOf(disk, partitions, identity),
});

/** addpart counts in sectors of 512 bytes, whatever the disk's are (addpart(8)). */
const addpartSector = 512;

/** partx takes no table that the first sector does not announce: each partition by its place. */
const addEachStep = (
  disk: string,
  partitions: readonly Unknown[],
  identity: string | null,
): Step => ({
  title: `Add the partitions of ${disk}`,
  commands: partitions.map(({ number, startBytes, sizeBytes }) => ({
    program: 'addpart',
    args: [disk, ...[number, startBytes / addpartSector, sizeBytes / addpartSector].map(String)],
    // 1: the kernel does not take this one. As with partx, what is missing then is said of the mount.
    accept: [0, 1],
  })),
  why: 'The first sector of the disk does not announce its GUID partition table, and the kernel leaves it unread.',
  risk: 'none: nothing is written to the disk',
  undo: undoOf(disk, partitions, identity),
});

/**
 * The same for a loop device that was attached this moment: it had no partitions before, so the
 * table alone tells what to add and the tree of all devices need not be read for it.
 */
export const addLoopPartitions = async (host: Host, loop: string): Promise<Step | null> => {
  const table = await readPartitionTable(host, loop, loopSectorBytes);
  const lost = table.length === 0 ? await readUnannounced(host, loop) : [];
  const name = kernelName(loop);
  const known = (await host.files.list(`/sys/block/${name}`)) ?? [];
  const isUnknown = ({ number }: Unknown): boolean => !known.includes(`${name}p${number}`);
  const [listed, unlisted] = [table.filter(isUnknown), lost.filter(isUnknown)];
  if (listed.length + unlisted.length === 0) return null;
  const identity = await diskIdentity(host, loop);
  return unlisted.length > 0
    ? addEachStep(loop, unlisted, identity)
    : addStep(loop, listed, identity);
};

/** Numbers in a row as one range each: `1:4`, as partx takes them. */
export const numberRanges = (numbers: readonly number[]): readonly string[] => {
  const ranges: { first: number; last: number }[] = [];
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const current = ranges.at(-1);
    if (current?.last === number - 1) current.last = number;
    else ranges.push({ first: number, last: number });
  }
  return ranges.map(({ first, last }) => `${first}:${last}`);
};

/** Takes away the partitions that were added, and only those. */
export const removePartitions = async (
  host: Host,
  {
    device,
    numbers,
    identity,
  }: {
    readonly device: string;
    readonly numbers: readonly number[];
    readonly identity: string | null;
  },
): Promise<UndoResult> => {
  if ((await diskIdentity(host, device)) !== identity) return gone;
  const present = async () => {
    const found = await Promise.all(
      numbers.map(async (number) => {
        const node = partitionNode(device, number);
        const sysfs = `/sys/class/block/${kernelName(node)}`;
        const majorMinor = (await host.files.readText(`${sysfs}/dev`))?.trim();
        return majorMinor === undefined ? [] : [{ number, node, majorMinor }];
      }),
    );
    return found.flat();
  };
  const before = await present();
  if (before.length === 0) return gone;
  const attempt = async (): Promise<boolean> => {
    for (const range of numberRanges((await present()).map(({ number }) => number))) {
      // 1: one of them is busy; the kernel's table tells which.
      const args = ['--delete', '--nr', range, device];
      await host.run({ program: 'partx', args, accept: [0, 1] });
    }
    return (await present()).length === 0;
  };
  await waitUntil(attempt, patienceMilliseconds);
  const [busy] = await present();
  return busy === undefined
    ? undone
    : leftBusy(host, busy.node, { path: busy.node, majorMinor: busy.majorMinor });
};
