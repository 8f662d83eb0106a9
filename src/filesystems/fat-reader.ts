import type { ReadDisk } from '../devices/gpt.ts';
import { type FatShape, parseFatBootSector } from './fat-boot-sector.ts';
import { type FatEntry, parseFatDirectory } from './fat-directory.ts';

/** Longest directory and file that are read: an EFI system partition holds a few megabytes. */
const maxBytes = 64 * 1024 * 1024;
const maxFatBytes = 32 * 1024 * 1024;

/** A FAT file system that is read without the kernel, which may have no vfat. */
export type FatReader = {
  /** Entries of a directory, names compared without regard to case; null when there is none. */
  readonly list: (path: string) => Promise<readonly FatEntry[] | null>;
  /** Bytes from the start of a file, at most `limit`; null when there is no such file. */
  readonly read: (path: string, limit: number) => Promise<Buffer | null>;
};

const nextCluster = ({ bits }: FatShape, fat: Buffer, cluster: number): number => {
  const at = bits === 32 ? cluster * 4 : bits === 16 ? cluster * 2 : Math.floor(cluster * 1.5);
  if (at + (bits === 32 ? 4 : 2) > fat.length) return 0;
  if (bits === 32) return fat.readUInt32LE(at) & 0x0fffffff;
  const value = fat.readUInt16LE(at);
  if (bits === 16) return value;
  return cluster % 2 === 0 ? value & 0xfff : value >> 4;
};

/** The clusters of a file in their order; it ends at a mark, at nonsense, or at `limit` clusters. */
const chainOf = (shape: FatShape, fat: Buffer, first: number, limit: number): readonly number[] => {
  const chain: number[] = [];
  const seen = new Set<number>();
  let cluster = first;
  while (cluster >= 2 && cluster < shape.clusters + 2 && !seen.has(cluster)) {
    if (chain.length >= limit) break;
    seen.add(cluster);
    chain.push(cluster);
    cluster = nextCluster(shape, fat, cluster);
  }
  return chain;
};

const readChain = async (
  read: ReadDisk,
  shape: FatShape,
  fat: Buffer,
  first: number,
  length: number,
): Promise<Buffer> => {
  const wanted = Math.min(length, maxBytes);
  const chain = chainOf(shape, fat, first, Math.ceil(wanted / shape.clusterBytes));
  const pieces: Promise<Buffer>[] = [];
  for (let index = 0; index < chain.length; ) {
    const start = chain[index] ?? 0;
    let count = 1;
    // Files lie in one piece mostly: one read for each piece and not for each cluster.
    while (chain[index + count] === start + count) count += 1;
    const offset = shape.dataAt + (start - 2) * shape.clusterBytes;
    pieces.push(read(offset, count * shape.clusterBytes));
    index += count;
  }
  return Buffer.concat(await Promise.all(pieces)).subarray(0, wanted);
};

const parts = (path: string): readonly string[] => path.split('/').filter((part) => part !== '');

/**
 * Opens a FAT file system for reading.
 *
 * @param read reads from its partition.
 * @returns null when there is no FAT.
 */
export const openFat = async (read: ReadDisk): Promise<FatReader | null> => {
  const shape = parseFatBootSector(await read(0, 512));
  if (shape === null) return null;
  const fat = await read(shape.fatAt, Math.min(shape.fatBytes, maxFatBytes));
  const top = (): Promise<Buffer> =>
    shape.bits === 32
      ? readChain(read, shape, fat, shape.rootCluster, maxBytes)
      : read(shape.rootAt, shape.rootBytes);
  const entriesOf = async (entry: FatEntry | null): Promise<readonly FatEntry[]> =>
    parseFatDirectory(
      entry === null ? await top() : await readChain(read, shape, fat, entry.cluster, maxBytes),
    );
  const find = async (path: string): Promise<FatEntry | null | undefined> => {
    let here: FatEntry | null = null;
    for (const part of parts(path)) {
      if (here !== null && !here.isDirectory) return undefined;
      const entries: readonly FatEntry[] = await entriesOf(here);
      const found = entries.find(({ name }) => name.toLowerCase() === part.toLowerCase());
      if (found === undefined) return undefined;
      here = found;
    }
    return here;
  };
  return {
    list: async (path) => {
      const entry = await find(path);
      return entry === undefined || entry?.isDirectory === false ? null : entriesOf(entry);
    },
    read: async (path, limit) => {
      const entry = await find(path);
      if (entry === undefined || entry === null || entry.isDirectory) return null;
      return readChain(read, shape, fat, entry.cluster, Math.min(entry.sizeBytes, limit));
    },
  };
};
