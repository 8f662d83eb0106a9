import { z } from 'zod';
import type { LastResorts } from '../filesystems/file-system.ts';
import { usageError } from '../host/rescue-error.ts';

const words = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());

/** TARGET, --with and --system as they were given. */
export const targetSchema = z.object({
  TARGET: z.string().min(1, 'wants a disk, an image file or a directory'),
  with: words.default([]),
  system: z.string().optional(),
  degraded: z.boolean().default(false),
  partial: z.boolean().default(false),
  renameClone: z.boolean().default(false),
  passphraseFile: z.string().min(1, 'wants a file, or - for standard input').optional(),
  keyFile: z.string().min(1, 'wants a file').optional(),
  luksHeader: words.default([]),
});

export const repairSchema = z.object({
  repair: z.boolean().default(false),
  xfsZeroLog: z.boolean().default(false),
  btrfsRepair: z.boolean().default(false),
  backupSuperblock: z
    .string()
    .regex(/^(auto|[1-9]\d*)$/, 'wants "auto" or the block number of a backup superblock')
    .optional(),
});

/** @throws RescueError usage (2) for a last resort without --repair. */
export const lastResortsOf = (args: z.infer<typeof repairSchema>): LastResorts => {
  const { repair, xfsZeroLog, btrfsRepair, backupSuperblock } = args;
  if (!repair && (xfsZeroLog || btrfsRepair || backupSuperblock !== undefined)) {
    throw usageError(
      '--xfs-zero-log, --btrfs-repair and --backup-superblock say how to repair.',
      'Add --repair if that is what you want.',
    );
  }
  return {
    zeroXfsLog: xfsZeroLog,
    btrfsRepair,
    backupSuperblock:
      backupSuperblock === undefined
        ? false
        : backupSuperblock === 'auto' || Number(backupSuperblock),
  };
};
