import type { DiskLook } from './disk-look.ts';

/** Type of a BIOS boot partition, where GRUB's core image goes on GPT. */
export const biosBootType = '21686148-6449-6e6f-744e-656564454649';

/** Where a core image can go; in sectors of 512 bytes. */
export type CoreRoom = { readonly sector: number; readonly sectors: number; readonly what: string };

const grubSector = 512;

/** Other programs keep something in the last sectors before the first partition of old disks. */
const maxGap = 2048;

/**
 * The BIOS boot partition of a GPT disk, or the gap between an MBR and the first partition. Null
 * when the disk has neither, or sectors of another size.
 */
export const coreRoom = ({ disk, sectorBytes }: DiskLook): CoreRoom | null => {
  if (sectorBytes !== grubSector) return null;
  const partitions = disk.children.flatMap((child) =>
    child.partition === null ? [] : [{ child, partition: child.partition }],
  );
  if (disk.partitionTable === 'gpt') {
    const found = partitions.find(
      ({ partition }) => partition.type?.toLowerCase() === biosBootType,
    );
    return found === undefined
      ? null
      : {
          sector: found.partition.startBytes / grubSector,
          sectors: Math.floor(found.child.sizeBytes / grubSector),
          what: `the BIOS boot partition of ${disk.path}`,
        };
  }
  if (disk.partitionTable !== 'dos' || partitions.length === 0) return null;
  const first = Math.min(...partitions.map(({ partition }) => partition.startBytes / grubSector));
  return {
    sector: 1,
    sectors: Math.min(first, maxGap) - 1,
    what: `the gap before the first partition of ${disk.path}`,
  };
};
