import type { Host } from '../host/host.ts';
import { gptPartitions, protectiveMbr, readGptCopy } from './gpt.ts';
import { kernelName, partitionNode } from './kernel-name.ts';
import type { TablePartition } from './partition-table.ts';

const usualSector = 512;

/** Numbers of sysfs; null where they cannot be read. */
const sysfsNumber = async ({ files }: Host, path: string): Promise<number | null> => {
  const text = await files.readText(path).catch(() => null);
  return Number(text ?? '') || null;
};

/** Partitions of an MBR: then what is left of another table is an old one. */
const describesOthers = (sector: Buffer): boolean =>
  sector.readUInt16LE(510) === 0xaa55 && sector.subarray(446, 510).some((byte) => byte !== 0);

const read = async (host: Host, disk: string): Promise<readonly TablePartition[]> => {
  const directory = `/sys/class/block/${kernelName(disk)}`;
  const sectorBytes =
    (await sysfsNumber(host, `${directory}/queue/logical_block_size`)) ?? usualSector;
  // In units of 512 bytes, whatever the disk's sectors are.
  const sizeBytes = ((await sysfsNumber(host, `${directory}/size`)) ?? 0) * 512;
  const sectors = Math.floor(sizeBytes / sectorBytes);
  const at = (offset: number, length: number) => host.files.readAt(disk, offset, length);
  const first = await at(0, 512);
  if (sectors < 3 || protectiveMbr(first) === 'protective' || describesOthers(first)) return [];
  const primary = await readGptCopy(at, sectorBytes, 1);
  // Zeros that overwrote the first sector may have gone on over the table. wipefs takes a table away
  // on purpose, leaves the rest of its header, and does not always reach the copy.
  const isZeroed = (await at(0, 2 * sectorBytes)).every((byte) => byte === 0);
  const look =
    primary.kind === 'valid' || !isZeroed
      ? primary
      : await readGptCopy(at, sectorBytes, sectors - 1);
  if (look.kind !== 'valid') return [];
  return gptPartitions(look.copy).flatMap(({ number, type, uuid, label, first, last }) =>
    last >= sectors
      ? []
      : [
          {
            ...{ number, type, uuid, label },
            name: partitionNode(kernelName(disk), number),
            startBytes: first * sectorBytes,
            sizeBytes: (last - first + 1) * sectorBytes,
          },
        ],
  );
};

/**
 * The partitions of a GUID partition table that the first sector does not announce: kernel, libblkid
 * and libfdisk take a disk without a protective MBR for one without a table (kernel:
 * block/partitions/efi.c, `is_pmbr_valid`). None where it is announced, or where nothing can be read.
 */
export const readUnannounced = async (
  host: Host,
  disk: string,
): Promise<readonly TablePartition[]> => {
  try {
    return await read(host, disk);
  } catch {
    // No medium, no permission: the device has nothing to tell.
    return [];
  }
};
