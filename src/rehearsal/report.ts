import { z } from 'zod';
import { proofSchema } from '../verification/proof.ts';

/** What became different on one disk. */
export const diskChangeSchema = z.object({
  /** As it was named. */
  disk: z.string(),
  blockBytes: z.int(),
  /** Blocks that differ, and their bytes. */
  changedBlocks: z.int(),
  changedBytes: z.int(),
  /** Blocks that were written, also where the content is the same. */
  writtenBlocks: z.int(),
});

export const fileChangeSchema = z.object({
  /** In the system, cleaned. */
  path: z.string(),
  /** `attributes`: owner, mode, times or extended attributes; the content is the same. */
  change: z.enum(['added', 'removed', 'changed', 'attributes']),
  kind: z.enum(['file', 'directory', 'symlink', 'other']),
  /** Bytes of a file; null for everything else, and where there is none. */
  bytesBefore: z.int().nullable(),
  bytesAfter: z.int().nullable(),
  /** Unified diff of a small text file, cleaned; null for everything else. */
  diff: z.string().nullable(),
});

export type FileChange = Readonly<z.infer<typeof fileChangeSchema>>;

export const reportSchema = z.object({
  disks: z.array(diskChangeSchema).readonly(),
  /** The first ones in the order of their paths; null when they could not be compared. */
  files: z.array(fileChangeSchema).readonly().nullable(),
  /** How many there are; more than listed when there are very many. */
  fileCount: z.int(),
  /** Why files are not listed; null when they are. */
  filesNote: z.string().nullable(),
  /** What was seen of a boot from the layer; null when no boot was watched. */
  proof: proofSchema.nullable(),
  /** The boot that was watched shows what was changed, and reached its end. */
  proven: z.boolean().default(false),
  /** Why nothing is proven; null when it is, and when the watched boot failed. */
  notProven: z.string().nullable().default(null),
  /**
   * The work on the layer ended well, and it boots, as far as a boot can show what was changed. Only
   * a proof that was not asked for may be missing.
   */
  succeeded: z.boolean(),
});

export type RehearsalReport = Readonly<z.infer<typeof reportSchema>>;
