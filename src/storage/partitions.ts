import type { Device } from '../devices/device.ts';
import type { Host } from '../host/host.ts';
import type { Step } from '../host/step.ts';
import { gone, leftBusy, type UndoResult, undone } from '../host/undo-result.ts';

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
  if (disk.path === null || unknown.length === 0) return null;
  return {
    title: `Add the partitions of ${disk.path}`,
    // One call for all: partx skips those that the kernel has already.
    commands: [{ program: 'partx', args: ['--add', disk.path], accept: [0, 1] }],
    why: 'This kernel does not read partition tables by itself.',
    risk: 'none: nothing is written to the disk',
    undo: { kind: 'remove-partitions', device: disk.path, numbers: unknown },
  };
};

/** Takes away the partitions that were added, and only those. */
export const removePartitions = async (
  host: Host,
  device: string,
  numbers: readonly number[],
): Promise<UndoResult> => {
  let removed = false;
  for (const number of numbers) {
    const node = partitionNode(device, number);
    const sysfs = `/sys/class/block/${node.slice(node.lastIndexOf('/') + 1)}`;
    const majorMinor = (await host.files.readText(`${sysfs}/dev`))?.trim();
    if (majorMinor === undefined) continue;
    await host.run({
      program: 'partx',
      args: ['--delete', '--nr', `${number}`, device],
      accept: [0, 1],
    });
    if ((await host.files.readText(`${sysfs}/dev`)) !== null) {
      return leftBusy(host, node, { path: node, majorMinor });
    }
    removed = true;
  }
  return removed ? undone : gone;
};
