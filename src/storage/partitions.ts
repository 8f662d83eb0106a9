import type { Device } from '../devices/device.ts';
import { readPartitionTable } from '../devices/partition-table.ts';
import type { Host } from '../host/host.ts';
import type { Step } from '../host/step.ts';
import { gone, leftBusy, type UndoResult, undone } from '../host/undo-result.ts';

/** losetup makes devices with sectors of this size unless it is told otherwise. */
const loopSectorBytes = 512;

/** The kernel puts a `p` between a disk name that ends in a digit and the partition's number. */
export const partitionNode = (disk: string, number: number): string =>
  /\d$/.test(disk) ? `${disk}p${number}` : `${disk}${number}`;

/**
 * The step that tells the kernel about partitions it does not know, because it was built without
 * parsers for partition tables. Null when it knows them all.
 */
export const addPartitions = (disk: Device): Step | null => {
  const unknown = disk.children.flatMap((child) =>
    child.path === null && child.partition !== null ? [child.partition.number] : [],
  );
  return disk.path === null || unknown.length === 0 ? null : addStep(disk.path, unknown);
};

const addStep = (disk: string, numbers: readonly number[]): Step => ({
  title: `Add the partitions of ${disk}`,
  // One call for all: partx skips those that the kernel has already.
  commands: [{ program: 'partx', args: ['--add', disk], accept: [0, 1] }],
  why: 'This kernel does not read partition tables by itself.',
  risk: 'none: nothing is written to the disk',
  undo: { kind: 'remove-partitions', device: disk, numbers },
});

/**
 * The same for a loop device that was attached this moment: it had no partitions before, so the
 * table alone tells what to add and the tree of all devices need not be read for it.
 */
export const addLoopPartitions = async (host: Host, loop: string): Promise<Step | null> => {
  const table = await readPartitionTable(host, loop, loopSectorBytes);
  const name = loop.slice(loop.lastIndexOf('/') + 1);
  const known = (await host.files.list(`/sys/block/${name}`)) ?? [];
  const unknown = table
    .map(({ number }) => number)
    .filter((number) => !known.includes(`${name}p${number}`));
  return unknown.length === 0 ? null : addStep(loop, unknown);
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
  device: string,
  numbers: readonly number[],
): Promise<UndoResult> => {
  const present = async () => {
    const found = await Promise.all(
      numbers.map(async (number) => {
        const node = partitionNode(device, number);
        const sysfs = `/sys/class/block/${node.slice(node.lastIndexOf('/') + 1)}`;
        const majorMinor = (await host.files.readText(`${sysfs}/dev`))?.trim();
        return majorMinor === undefined ? [] : [{ number, node, majorMinor }];
      }),
    );
    return found.flat();
  };
  const before = await present();
  if (before.length === 0) return gone;
  for (const range of numberRanges(before.map(({ number }) => number))) {
    // 1: one of them is busy; the table below tells which.
    await host.run({ program: 'partx', args: ['--delete', '--nr', range, device], accept: [0, 1] });
  }
  const [busy] = await present();
  return busy === undefined
    ? undone
    : leftBusy(host, busy.node, { path: busy.node, majorMinor: busy.majorMinor });
};
