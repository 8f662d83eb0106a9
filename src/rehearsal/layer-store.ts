import type { Files } from '../host/files.ts';
import type { RawFile } from '../host/raw-file.ts';
import { RescueError } from '../host/rescue-error.ts';
import { sha256 } from '../host/sha256.ts';
import { readExceptions } from './exception-store.ts';
import { type Piece, pieceSchema, type Stretch, stretchesOf } from './pieces.ts';

/** The files of one disk's layer in the session's directory. */
export type LayerFiles = {
  /** The kernel's copy-on-write store: what was written. */
  readonly store: string;
  /** The disk's own content of the same stretches, kept before anything is merged back. */
  readonly before: string;
  /** One line for each piece. */
  readonly list: string;
};

/** @param number 1 for the first disk. */
export const layerFiles = (directory: string, number: number): LayerFiles => ({
  store: `${directory}/disk-${number}.layer`,
  before: `${directory}/disk-${number}.before`,
  list: `${directory}/disk-${number}.pieces`,
});

/** What a layer holds, counted in blocks of the size in which it was kept. */
export type LayerAmount = {
  readonly blockBytes: number;
  /** Blocks that differ from the disk's. */
  readonly changedBlocks: number;
  readonly changedBytes: number;
  /** Blocks that were written, also where the content is the same. */
  readonly writtenBlocks: number;
};

export const readRuns = async (store: RawFile, runs: Stretch['runs']): Promise<Buffer> =>
  Buffer.concat(await Promise.all(runs.map(({ atBytes, bytes }) => store.read(atBytes, bytes))));

const differingBlocks = (one: Buffer, other: Buffer, blockBytes: number): number => {
  let count = 0;
  for (let at = 0; at < one.length; at += blockBytes) {
    const end = at + blockBytes;
    if (!one.subarray(at, end).equals(other.subarray(at, end))) count++;
  }
  return count;
};

/** Lines are written in portions: a list may have a million of them. */
const linesAtATime = 1000;

/**
 * Compares a layer with its disk and keeps what the disk has where they differ, with checksums of
 * both: by this the layer can be merged back, and the merge taken back. Reads the disk only.
 *
 * @param origin the disk or image.
 * @throws RescueError `LAYER_FULL`, `LAYER_DAMAGED`
 */
export const sealLayer = async (
  files: Files,
  origin: string,
  layer: LayerFiles,
): Promise<LayerAmount> => {
  const [disk, store, before] = await Promise.all([
    files.openRaw(origin, 'read'),
    files.openRaw(layer.store, 'read'),
    files.openRaw(layer.before, 'create'),
  ]);
  try {
    const exceptions = await readExceptions(store);
    const { chunkBytes } = exceptions;
    await files.removeFile(layer.list);
    await files.append(layer.list, '');
    let [beforeAtBytes, changedBlocks, changedBytes] = [0, 0, 0];
    let lines: string[] = [];
    for (const stretch of stretchesOf(exceptions, disk.sizeBytes)) {
      const old = await disk.read(stretch.atBytes, stretch.bytes);
      const now = await readRuns(store, stretch.runs);
      const blocks = differingBlocks(old, now, chunkBytes);
      if (blocks === 0) continue;
      await before.write(beforeAtBytes, old);
      const piece: Piece = { ...stretch, beforeAtBytes, before: sha256(old), after: sha256(now) };
      lines.push(JSON.stringify(piece));
      beforeAtBytes += old.length;
      changedBlocks += blocks;
      changedBytes += Math.min(blocks * chunkBytes, old.length);
      if (lines.length >= linesAtATime) {
        await files.append(layer.list, `${lines.join('\n')}\n`);
        lines = [];
      }
    }
    if (lines.length > 0) await files.append(layer.list, `${lines.join('\n')}\n`);
    // What the kernel has written to the store is in the memory of this machine as well.
    for (const file of [before, store]) await file.sync();
    await syncFile(files, layer.list);
    const writtenBlocks = exceptions.exceptions.length;
    return { blockBytes: chunkBytes, changedBlocks, changedBytes, writtenBlocks };
  } finally {
    for (const file of [disk, store, before]) await file.close();
  }
};

/** Waits until a file of rescuekit's own is on the disk: what is merged depends on it. */
const syncFile = async (files: Files, path: string): Promise<void> => {
  const file = await files.openRaw(path, 'read');
  await file.sync().finally(() => file.close());
};

const brokenList = (path: string, cause: unknown): RescueError =>
  new RescueError({
    code: 'LAYER_DAMAGED',
    message: `The list of changed blocks ${path} cannot be read.`,
    hint: 'Nothing was written. Drop the layer and try again.',
    cause,
  });

/** @throws RescueError `LAYER_DAMAGED` */
export const readPieces = async (files: Files, path: string): Promise<readonly Piece[]> => {
  const text = await files.readText(path);
  if (text === null) throw brokenList(path, null);
  try {
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => pieceSchema.parse(JSON.parse(line)));
  } catch (cause) {
    throw brokenList(path, cause);
  }
};
