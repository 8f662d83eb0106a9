import { z } from 'zod';
import type { Host } from '../host/host.ts';

const sfdiskSchema = z.object({
  partitiontable: z.object({
    label: z.string(),
    id: z.string().optional(),
    device: z.string(),
    unit: z.literal('sectors'),
    // Printed since util-linux 2.35.
    sectorsize: z.int().optional(),
    partitions: z
      .array(
        z.object({
          node: z.string(),
          start: z.int(),
          size: z.int(),
          type: z.string(),
          uuid: z.string().optional(),
          name: z.string().optional(),
        }),
      )
      .default([]),
  }),
});

/** A partition as the table on the disk describes it. */
export type TablePartition = {
  readonly number: number;
  /** The kernel's name for it, for instance `loop0p1`. */
  readonly name: string;
  readonly startBytes: number;
  readonly sizeBytes: number;
  readonly uuid: string | null;
  readonly label: string | null;
  readonly type: string;
};

/** PARTUUIDs of MBR partitions are made of the disk's signature and the number (libblkid, dos.c). */
const dosUuid = (tableId: string | undefined, number: number): string | null =>
  tableId === undefined
    ? null
    : `${tableId.replace(/^0x/, '').padStart(8, '0')}-${number.toString(16).padStart(2, '0')}`;

/**
 * Parses `sfdisk --json DISK` into the notation of blkid (lower case, `0x83`).
 *
 * @param sectorBytes used when the tool is too old to print the sector size.
 */
export const parseSfdisk = (json: string, sectorBytes: number): readonly TablePartition[] => {
  const table = sfdiskSchema.parse(JSON.parse(json)).partitiontable;
  const unit = table.sectorsize ?? sectorBytes;
  return table.partitions.map((entry) => {
    const number = Number(/(\d+)$/.exec(entry.node.slice(table.device.length))?.[1] ?? 0);
    const dos = table.label === 'dos';
    return {
      number,
      name: entry.node.replace(/^\/dev\//, ''),
      startBytes: entry.start * unit,
      sizeBytes: entry.size * unit,
      uuid: dos ? dosUuid(table.id, number) : (entry.uuid?.toLowerCase() ?? null),
      label: entry.name ?? null,
      type: dos ? `0x${entry.type.toLowerCase()}` : entry.type.toLowerCase(),
    };
  });
};

/**
 * The partitions of a disk from its table, read-only, for kernels that do not read tables. None
 * when sfdisk cannot read the disk or knows no table on it (exit code 1).
 */
export const readPartitionTable = async (
  host: Host,
  disk: string,
  sectorBytes: number,
): Promise<readonly TablePartition[]> => {
  const { exitCode, stdout } = await host.run({
    program: 'sfdisk',
    args: ['--json', disk],
    accept: [0, 1],
    timeoutSeconds: 20,
    changes: false,
  });
  return exitCode === 0 ? parseSfdisk(stdout, sectorBytes) : [];
};

/** The extended partition of an MBR only holds the logical ones. */
export const isExtended = (type: string | null): boolean =>
  type !== null && ['0x5', '0xf', '0x85'].includes(type);
