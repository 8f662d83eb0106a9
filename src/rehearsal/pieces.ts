import { z } from 'zod';
import type { ExceptionStore } from './exception-store.ts';

/** A run of bytes in the layer's store. */
const runSchema = z.object({ atBytes: z.int(), bytes: z.int() });

/**
 * A stretch of a disk that the layer shows otherwise than the disk: one line of the list that is kept
 * with a layer.
 */
export const pieceSchema = z.object({
  /** Place on the disk. */
  atBytes: z.int(),
  bytes: z.int(),
  /** Place of the disk's own content in the file in which it is kept. */
  beforeAtBytes: z.int(),
  /** Where the new content is in the layer's store, in order. */
  runs: z.array(runSchema).readonly(),
  /** SHA-256 of the old and the new content. */
  before: z.string(),
  after: z.string(),
});

export type Piece = Readonly<z.infer<typeof pieceSchema>>;

/** Where a piece lies, before its contents are looked at. */
export type Stretch = Pick<Piece, 'atBytes' | 'bytes' | 'runs'>;

/** Pieces are compared and written one by one in memory. */
const largestChunks = 256;

type Growing = {
  readonly atBytes: number;
  bytes: number;
  readonly runs: { readonly atBytes: number; bytes: number }[];
};

const append = (piece: Growing, atBytes: number, bytes: number): void => {
  const last = piece.runs.at(-1);
  if (last !== undefined && last.atBytes + last.bytes === atBytes) last.bytes += bytes;
  else piece.runs.push({ atBytes, bytes });
  piece.bytes += bytes;
};

/**
 * Chunks of a layer as stretches of the disk in their order, neighbours joined up to a mebibyte (at
 * 4 KiB a chunk).
 *
 * @param diskBytes size of the disk: its last chunk may be a part of one.
 */
export const stretchesOf = (
  { chunkBytes, exceptions }: ExceptionStore,
  diskBytes: number,
): readonly Stretch[] => {
  const sorted = exceptions.toSorted((a, b) => a.origin - b.origin);
  const pieces: Growing[] = [];
  let current: Growing | null = null;
  for (const { origin, store } of sorted) {
    const atBytes = origin * chunkBytes;
    const bytes = Math.min(chunkBytes, diskBytes - atBytes);
    if (bytes <= 0) continue;
    const joins =
      current !== null &&
      current.atBytes + current.bytes === atBytes &&
      current.bytes < largestChunks * chunkBytes;
    if (current === null || !joins) {
      current = { atBytes, bytes: 0, runs: [] };
      pieces.push(current);
    }
    append(current, store * chunkBytes, bytes);
  }
  return pieces;
};

const sectorBytes = 512;

/**
 * Whether each sector is that of one or of the other content. So it is on a disk on which a write of
 * one over the other was cut off at any moment: a sector is written whole or not at all.
 */
export const isMixture = (current: Buffer, one: Buffer, other: Buffer): boolean => {
  if (current.equals(one) || current.equals(other)) return true;
  if (current.length !== one.length || current.length !== other.length) return false;
  for (let at = 0; at < current.length; at += sectorBytes) {
    const sector = current.subarray(at, at + sectorBytes);
    const matches = (whole: Buffer) => sector.equals(whole.subarray(at, at + sectorBytes));
    if (!matches(one) && !matches(other)) return false;
  }
  return true;
};
