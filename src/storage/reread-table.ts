import { kernelName, partitionNode } from '../devices/kernel-name.ts';
import { isExtended, readPartitionTable } from '../devices/partition-table.ts';
import type { Host } from '../host/host.ts';
import { RescueError } from '../host/rescue-error.ts';
import { gone, type UndoResult, undone } from '../host/undo-result.ts';

/** The kernel counts in these whatever the sectors of the disk are (sysfs-block). */
const sectorBytes = 512;

const numberIn = async (host: Host, path: string): Promise<number> =>
  Number((await host.files.readText(path)) ?? Number.NaN);

/** Partitions as the kernel has them: number, start, size in bytes. */
const kernelPartitions = async (host: Host, disk: string): Promise<readonly string[]> => {
  const directory = `/sys/class/block/${kernelName(disk)}`;
  const names = (await host.files.list(directory)) ?? [];
  const found = await Promise.all(
    names.map(async (name) => {
      const place = `${directory}/${name}`;
      const number = await host.files.readText(`${place}/partition`);
      if (number === null) return [];
      const start = await numberIn(host, `${place}/start`);
      const size = await numberIn(host, `${place}/size`);
      return [`${Number(number)} ${start * sectorBytes} ${size * sectorBytes}`];
    }),
  );
  return found.flat().sort();
};

/** The kernel shows of an extended partition no more than the sectors with its table. */
const shownBytes = async (host: Host, disk: string, number: number): Promise<number> => {
  const partition = kernelName(partitionNode(disk, number));
  return (await numberIn(host, `/sys/class/block/${partition}/size`)) * sectorBytes;
};

/** Whether the kernel has the partitions that the table on the disk names, and no others. */
export const knowsTable = async (host: Host, disk: string): Promise<boolean> => {
  const block = `/sys/class/block/${kernelName(disk)}/queue/logical_block_size`;
  const table = await readPartitionTable(host, disk, (await numberIn(host, block)) || sectorBytes);
  const wanted = await Promise.all(
    table.map(async ({ number, startBytes, sizeBytes, type }) => {
      const bytes = isExtended(type) ? await shownBytes(host, disk, number) : sizeBytes;
      return `${number} ${startBytes} ${bytes}`;
    }),
  );
  const known = await kernelPartitions(host, disk);
  return wanted.sort().join('\n') === known.join('\n');
};

const isBusy = (stderr: string): boolean => /busy/i.test(stderr);

const reread = async (host: Host, disk: string): Promise<void> => {
  const read = { program: 'blockdev', args: ['--rereadpt', disk], accept: [0, 1] };
  const first = await host.run(read);
  if (first.exitCode === 0 || isBusy(first.stderr)) return;
  // EINVAL of a loop device that looks for no partitions, and of a kernel without parsers for tables.
  const second = await host.run({ program: 'partx', args: ['--update', disk], accept: [0, 1] });
  if (second.exitCode === 0 || isBusy(second.stderr)) return;
  throw new RescueError({
    code: 'COMMAND_FAILED',
    message: `The kernel does not read the partition table of ${disk} again: ${second.stderr.trim()}`,
    hint: 'Detach the disk and attach it again before you use its partitions.',
  });
};

/**
 * Lets the kernel read the partition tables of disks again where they are others than it knows. A
 * disk that somebody uses by now keeps the partitions that it has: they are in use.
 *
 * @throws RescueError `COMMAND_FAILED`
 */
export const rereadTables = async (host: Host, disks: readonly string[]): Promise<UndoResult> => {
  let done = false;
  for (const disk of disks) {
    if ((await host.files.statusFollowed(disk))?.kind !== 'block') continue;
    if (await knowsTable(host, disk)) continue;
    await reread(host, disk);
    done = true;
  }
  return done ? undone : gone;
};
