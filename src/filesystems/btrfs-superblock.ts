import { z } from 'zod';
import type { Command, CommandResult } from '../host/command.ts';
import { RescueError } from '../host/rescue-error.ts';

const count = z.coerce.number().int().nonnegative();

/** The fields of `dump-super` that matter here, under its own names. */
const fieldsSchema = z.object({
  fsid: z.uuid(),
  metadata_uuid: z.uuid(),
  flags: z.string(),
  generation: count,
  log_root: z.string(),
  num_devices: count,
  'dev_item.uuid': z.uuid(),
  'dev_item.devid': count,
});

/** What one device says of the file system that it is a member of. */
export type BtrfsSuperblock = {
  /** The file system's UUID, the same on all its devices. */
  readonly fsid: string;
  /** The UUID that its blocks carry: another one after `btrfstune -M`. */
  readonly metadataUuid: string;
  /** Number of this device in the file system, and its own UUID; a clone has the same. */
  readonly devid: number;
  readonly deviceUuid: string;
  /** Devices of the file system when it is whole. */
  readonly deviceCount: number;
  /** Counts the commits: a device that was left out has fewer. */
  readonly generation: number;
  /** A log tree waits: writes that were made safe by fsync and are not yet in the other trees. */
  readonly needsReplay: boolean;
  /** `btrfstune` was cut off while it gave it another UUID. */
  readonly isChanging: boolean;
};

// BTRFS_SUPER_FLAG_CHANGING_FSID and BTRFS_SUPER_FLAG_CHANGING_FSID_V2 (btrfs_tree.h).
const changingFlags = (1n << 35n) | (1n << 36n);

/** Reads the text of `btrfs inspect-internal dump-super`; null when it shows no superblock. */
export const parseBtrfsSuperblock = (text: string): BtrfsSuperblock | null => {
  const lines = [...text.matchAll(/^([a-z_.]+)\t+(\S+)/gm)];
  const parsed = fieldsSchema.safeParse(
    Object.fromEntries(lines.map(([, key, word]) => [key, word])),
  );
  if (!parsed.success) return null;
  const fields = parsed.data;
  return {
    fsid: fields.fsid,
    metadataUuid: fields.metadata_uuid,
    devid: fields['dev_item.devid'],
    deviceUuid: fields['dev_item.uuid'],
    deviceCount: fields.num_devices,
    generation: fields.generation,
    needsReplay: fields.log_root !== '0',
    isChanging: /^0x[0-9a-f]+$/.test(fields.flags) && (BigInt(fields.flags) & changingFlags) !== 0n,
  };
};

/** The words that show a device's superblock. */
export const dumpSuperArgs = (device: string): readonly string[] => [
  'inspect-internal',
  'dump-super',
  device,
];

/**
 * Reads the superblock of one device; null when it has none, or when this host has no
 * btrfs-progs.
 */
export const readBtrfsSuperblock = async (
  run: (command: Command) => Promise<CommandResult>,
  device: string,
): Promise<BtrfsSuperblock | null> => {
  const command: Command = {
    program: 'btrfs',
    args: dumpSuperArgs(device),
    // 1: no superblock, or no such device.
    accept: [0, 1],
    changes: false,
  };
  try {
    return parseBtrfsSuperblock((await run(command)).stdout);
  } catch (error) {
    if (error instanceof RescueError && error.code === 'MISSING_PROGRAM') return null;
    throw error;
  }
};
