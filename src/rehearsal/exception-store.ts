import type { RawFile } from '../host/raw-file.ts';
import { RescueError } from '../host/rescue-error.ts';

/** One chunk that was written on the layer; both numbers count chunks. */
export type Exception = {
  /** Where it belongs on the disk. */
  readonly origin: number;
  /** Where its new content is in the store. */
  readonly store: number;
};

export type ExceptionStore = {
  readonly chunkBytes: number;
  readonly exceptions: readonly Exception[];
};

/**
 * Layout as the kernel writes it (drivers/md/dm-snap-persistent.c), all numbers little endian.
 * Chunk 0 is a header; from chunk 1 on areas follow, each one chunk of pairs and then the chunks
 * that the pairs name. A pair whose second number is 0 is the end.
 */
const magic = 0x70416e53;
const version = 1;
const headerBytes = 16;
const pairBytes = 16;
const sectorBytes = 512;

/** The kernel marks a store invalid when it had no room for a chunk. */
const unusable = (): RescueError =>
  new RescueError({
    code: 'LAYER_FULL',
    message: 'The copy-on-write layer has become full, and what was written to it is not whole.',
    hint: 'The disk is as it was. Drop the layer, and try again with more room: --state-dir DIR on a larger file system.',
  });

const damaged = (): RescueError =>
  new RescueError({
    code: 'LAYER_DAMAGED',
    message: 'The file of the copy-on-write layer is not what the kernel writes.',
    hint: 'The disk is as it was. Drop the layer and try again.',
  });

/** Bytes of a chunk. @throws RescueError `LAYER_FULL`, `LAYER_DAMAGED` */
export const parseHeader = (header: Buffer): number => {
  if (header.length < headerBytes || header.readUInt32LE(0) !== magic) throw damaged();
  if (header.readUInt32LE(4) === 0) throw unusable();
  const sectors = header.readUInt32LE(12);
  const isPowerOfTwo = sectors > 0 && (sectors & (sectors - 1)) === 0;
  if (header.readUInt32LE(8) !== version || !isPowerOfTwo) throw damaged();
  return sectors * sectorBytes;
};

/** The pairs of one area, and whether another area follows. */
export const parseArea = (
  area: Buffer,
): { readonly exceptions: readonly Exception[]; readonly full: boolean } => {
  const exceptions: Exception[] = [];
  for (let at = 0; at + pairBytes <= area.length; at += pairBytes) {
    const store = Number(area.readBigUInt64LE(at + 8));
    if (store === 0) return { exceptions, full: false };
    exceptions.push({ origin: Number(area.readBigUInt64LE(at)), store });
  }
  return { exceptions, full: area.length > 0 };
};

/**
 * Reads which chunks a layer holds. A layer that nothing was ever written to has a header only when
 * the kernel has opened it.
 *
 * @throws RescueError `LAYER_FULL`, `LAYER_DAMAGED`
 */
export const readExceptions = async (store: RawFile): Promise<ExceptionStore> => {
  const chunkBytes = parseHeader(await store.read(0, headerBytes));
  const perArea = chunkBytes / pairBytes;
  const exceptions: Exception[] = [];
  for (let area = 0; ; area++) {
    const at = (1 + (perArea + 1) * area) * chunkBytes;
    const parsed = parseArea(await store.read(at, chunkBytes));
    exceptions.push(...parsed.exceptions);
    if (!parsed.full) return { chunkBytes, exceptions };
  }
};
