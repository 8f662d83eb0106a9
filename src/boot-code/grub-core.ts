import { unpackLzma } from './lzma.ts';

const sectorBytes = 512;

/** Places in boot.img and in the first sector of core.img (grub-core/boot/i386/pc/*.S). */
const kernelSectorAt = 0x5c;
const listAt = 0x1f4;
const listEntryBytes = 12;

/** Boot code ends where the disk's signature begins. */
export const bootCodeBytes = 440;

export type BootCode =
  | { readonly kind: 'none' }
  /** Not GRUB's; nothing is said of it. */
  | { readonly kind: 'other' }
  /** @property coreSector first sector of GRUB's core image. */
  | { readonly kind: 'grub'; readonly coreSector: number };

/** What the first sector of a disk would do on a BIOS machine. */
export const readBootCode = (sector: Buffer): BootCode => {
  const code = sector.subarray(0, bootCodeBytes);
  if (code.every((byte) => byte === 0)) return { kind: 'none' };
  const isGrub = code.includes('GRUB ') && code.includes('Hard Disk');
  return isGrub
    ? { kind: 'grub', coreSector: Number(code.readBigUInt64LE(kernelSectorAt)) }
    : { kind: 'other' };
};

export type CoreBlock = { readonly sector: number; readonly count: number };

/** More than the gap before the first partition of an old disk, or a BIOS boot partition, holds. */
const maxSectors = 8192;

/**
 * Where the sectors behind the first one of the core image are: a list that grows downwards from
 * the sector's end. Null when the sector is none of GRUB's.
 */
export const coreBlocks = (first: Buffer): readonly CoreBlock[] | null => {
  // diskboot.img says this before it reads on.
  if (first.length < sectorBytes || !first.includes('loading')) return null;
  const blocks: CoreBlock[] = [];
  for (let at = listAt; at > 0x100; at -= listEntryBytes) {
    const count = first.readUInt16LE(at + 8);
    if (count === 0) return blocks.length === 0 ? null : blocks;
    blocks.push({ sector: Number(first.readBigUInt64LE(at)), count });
    if (blocks.reduce((sum, block) => sum + block.count, 0) > maxSectors) return null;
  }
  return null;
};

/** What is in a core image. */
export type CoreContents = {
  /** Where `normal.mod` and the menu are looked for: `(,gpt3)/boot/grub`. */
  readonly prefix: string | null;
  /** Commands that run first; they may look for a file system and set the prefix. */
  readonly config: string | null;
  /** The modules in it, each as its file. */
  readonly modules: readonly Buffer[];
};

const objectTypes = { module: 0, config: 2, prefix: 3 } as const;
const modulesMagic = Buffer.from('mimg');

const text = (bytes: Buffer): string => bytes.toString('utf8').replace(/\0.*$/s, '');

/** Takes the modules apart that stand behind the kernel (include/grub/kernel.h). */
export const parseCoreModules = (unpacked: Buffer): CoreContents | null => {
  const info = unpacked.lastIndexOf(modulesMagic);
  if (info === -1 || info + 12 > unpacked.length) return null;
  const end = Math.min(info + unpacked.readUInt32LE(info + 8), unpacked.length);
  let contents: CoreContents = { prefix: null, config: null, modules: [] };
  let at = info + unpacked.readUInt32LE(info + 4);
  while (at + 8 <= end) {
    const type = unpacked.readUInt32LE(at);
    const size = unpacked.readUInt32LE(at + 4);
    if (size < 8 || at + size > end) return null;
    const body = unpacked.subarray(at + 8, at + size);
    if (type === objectTypes.module) {
      contents = { ...contents, modules: [...contents.modules, body] };
    } else if (type === objectTypes.config) contents = { ...contents, config: text(body) };
    else if (type === objectTypes.prefix) contents = { ...contents, prefix: text(body) };
    at += size;
  }
  return contents;
};

/** Header of the unpacking code, which is the second sector (grub-core/boot/i386/pc/startup_raw.S). */
const packedLengthAt = 8;
const unpackedLengthAt = 12;
const maxUnpacked = 4 * 1024 * 1024;

/**
 * Unpacks a core image as it stands on a disk, filled up to whole sectors.
 *
 * @returns null when it is damaged.
 */
export const readCore = (core: Buffer): CoreContents | null => {
  if (core.length < 3 * sectorBytes) return null;
  const packed = core.readUInt32LE(sectorBytes + packedLengthAt);
  const length = core.readUInt32LE(sectorBytes + unpackedLengthAt);
  if (packed === 0 || packed >= core.length || length === 0 || length > maxUnpacked) return null;
  // The packed part is at the very end, so it begins at one of these places; its first byte is 0.
  for (let fill = 0; fill < sectorBytes; fill += 1) {
    const start = core.length - packed - fill;
    if (start < 2 * sectorBytes || core[start] !== 0) continue;
    const input = core.subarray(start, start + packed);
    const unpacked = unpackLzma(input, { lc: 3, lp: 0, pb: 2, length });
    const contents = unpacked === null ? null : parseCoreModules(unpacked);
    if (contents !== null) return contents;
  }
  return null;
};
