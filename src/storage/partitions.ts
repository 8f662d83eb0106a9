import { type Device, flattenDevice } from '../devices/device.ts';
import { kernelName } from '../devices/kernel-name.ts';
import { readPartitionTable } from '../devices/partition-table.ts';
import type { Host } from '../host/host.ts';
import type { Step } from '../host/step.ts';
import { gone, leftBusy, type UndoResult, undone } from '../host/undo-result.ts';
import { waitUntil } from '../host/wait.ts';
import type { Layer, Opening } from './layer.ts';

/** Whoever opens a partition for a moment after an unmount (udev, a scan) lets go within this time. */
const patienceMilliseconds = 1000;

/** losetup makes devices with sectors of this size unless it is told otherwise. */
const loopSectorBytes = 512;

/** The kernel puts a `p` between a disk name that ends in a digit and the partition's number. */
export const partitionNode = (disk: string, number: number): string =>
  /\d$/.test(disk) ? `${disk}p${number}` : `${disk}${number}`;

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

/**
 * The step that tells the kernel about partitions it does not know, because it was built without
 * parsers for partition tables. Null when it knows them all.
 */
const addPartitions = async (host: Host, disk: Device): Promise<Step | null> => {
  const unknown = disk.children.flatMap((child) =>
    child.path === null && child.partition !== null ? [child.partition.number] : [],
  );
  return disk.path === null || unknown.length === 0
    ? null
    : addStep(disk.path, unknown, await diskIdentity(host, disk.path));
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

const addStep = (disk: string, numbers: readonly number[], identity: string | null): Step => ({
  title: `Add the partitions of ${disk}`,
  // One call for all: partx skips those that the kernel has already.
  commands: [{ program: 'partx', args: ['--add', disk], accept: [0, 1] }],
  why: 'This kernel does not read partition tables by itself.',
  risk: 'none: nothing is written to the disk',
  undo: { kind: 'remove-partitions', device: disk, numbers, identity },
});

/**
 * The same for a loop device that was attached this moment: it had no partitions before, so the
 * table alone tells what to add and the tree of all devices need not be read for it.
 */
export const addLoopPartitions = async (host: Host, loop: string): Promise<Step | null> => {
  const table = await readPartitionTable(host, loop, loopSectorBytes);
  const name = kernelName(loop);
  const known = (await host.files.list(`/sys/block/${name}`)) ?? [];
  const unknown = table
    .map(({ number }) => number)
    .filter((number) => !known.includes(`${name}p${number}`));
  return unknown.length === 0 ? null : addStep(loop, unknown, await diskIdentity(host, loop));
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
