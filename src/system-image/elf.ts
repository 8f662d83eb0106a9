import type { Files } from '../host/files.ts';
import { readBytesInside } from './inside.ts';

export type Elf = {
  /** As `uname -m` would say on that machine. */
  readonly machine: string;
  /** The dynamic loader that the kernel starts first; null for a static program. */
  readonly interpreter: string | null;
};

/** e_machine (elf.h): names for 32 bits and 64 bits, each little and big endian. */
const machines: ReadonlyMap<number, readonly [string, string, string, string]> = new Map([
  [2, ['sparc', 'sparc', 'sparc64', 'sparc64']],
  [3, ['i686', 'i686', 'i686', 'i686']],
  [4, ['m68k', 'm68k', 'm68k', 'm68k']],
  [8, ['mips', 'mips', 'mips64', 'mips64']],
  [15, ['parisc', 'parisc', 'parisc64', 'parisc64']],
  [20, ['ppcle', 'ppc', 'ppcle', 'ppc']],
  [21, ['ppc64le', 'ppc64', 'ppc64le', 'ppc64']],
  [22, ['s390', 's390', 's390x', 's390x']],
  [40, ['armv7l', 'armv7b', 'armv7l', 'armv7b']],
  [42, ['sh4', 'sh4', 'sh4', 'sh4']],
  [43, ['sparc64', 'sparc64', 'sparc64', 'sparc64']],
  [50, ['ia64', 'ia64', 'ia64', 'ia64']],
  // Class 32 is the x32 ABI, which runs on the same machine.
  [62, ['x86_64', 'x86_64', 'x86_64', 'x86_64']],
  [183, ['aarch64', 'aarch64_be', 'aarch64', 'aarch64_be']],
  [243, ['riscv32', 'riscv32', 'riscv64', 'riscv64']],
  [258, ['loongarch32', 'loongarch32', 'loongarch64', 'loongarch64']],
  [0x9026, ['alpha', 'alpha', 'alpha', 'alpha']],
]);

const programInterpreter = 3;

/** Reads fields of an ELF file; what is outside of the bytes at hand is 0. */
export type ElfReader = {
  readonly wide: boolean;
  readonly u16: (offset: number) => number;
  readonly u32: (offset: number) => number;
  /** Address-sized field; too large ones come out as infinity and are then outside the file. */
  readonly word: (offset: number) => number;
};

const readerOf = (bytes: Buffer, wide: boolean, little: boolean): ElfReader => {
  const inRange = (offset: number, size: number): boolean =>
    offset >= 0 && offset + size <= bytes.length;
  const u16 = (offset: number): number =>
    !inRange(offset, 2) ? 0 : little ? bytes.readUInt16LE(offset) : bytes.readUInt16BE(offset);
  const u32 = (offset: number): number =>
    !inRange(offset, 4) ? 0 : little ? bytes.readUInt32LE(offset) : bytes.readUInt32BE(offset);
  const word = (offset: number): number => {
    if (!wide) return u32(offset);
    const [high, low] = little ? [offset + 4, offset] : [offset, offset + 4];
    return u32(high) === 0 ? u32(low) : Number.POSITIVE_INFINITY;
  };
  return { wide, u16, u32, word };
};

const interpreterOf = (bytes: Buffer, read: ElfReader): string | null => {
  const { wide } = read;
  const tableOffset = read.word(wide ? 32 : 28);
  const entrySize = read.u16(wide ? 54 : 42);
  const count = Math.min(read.u16(wide ? 56 : 44), 64);
  for (let index = 0; index < count; index += 1) {
    const header = tableOffset + index * entrySize;
    if (read.u32(header) !== programInterpreter) continue;
    const offset = read.word(header + (wide ? 8 : 4));
    const size = read.word(header + (wide ? 32 : 16));
    if (!Number.isFinite(offset) || size > 4096 || offset + size > bytes.length) return null;
    const text = bytes.subarray(offset, offset + size).toString('utf8');
    return text.split('\0')[0] || null;
  }
  return null;
};

/** A reader for the file's class and byte order; null when it is no ELF file. */
export const elfReader = (bytes: Buffer): ElfReader | null => {
  if (bytes.length < 20 || bytes.readUInt32BE(0) !== 0x7f454c46) return null;
  const [fileClass, encoding] = [bytes[4], bytes[5]];
  if ((fileClass !== 1 && fileClass !== 2) || (encoding !== 1 && encoding !== 2)) return null;
  return readerOf(bytes, fileClass === 2, encoding === 1);
};

/** Reads the start of an ELF file (elf(5)); null when it is none or of an unknown machine. */
export const parseElf = (bytes: Buffer): Elf | null => {
  const read = elfReader(bytes);
  if (read === null) return null;
  const [wide, little] = [read.wide, bytes[5] === 1];
  const names = machines.get(read.u16(18));
  const name = names?.[(wide ? 2 : 0) + (little ? 0 : 1)];
  if (name === undefined) return null;
  const machine = name.startsWith('mips') && little ? `${name}el` : name;
  return { machine, interpreter: interpreterOf(bytes, read) };
};

/** The ELF header of a program inside the root; null when it is absent or a script. */
export const elfInside = async (files: Files, root: string, path: string): Promise<Elf | null> => {
  // Headers and the interpreter's name stand at the start: linkers put them into the first page.
  const bytes = await readBytesInside(files, root, path, 4096);
  return bytes === null ? null : parseElf(bytes);
};

/** Machines that run programs of another one by themselves, without qemu-user. */
const alsoRuns: Readonly<Record<string, readonly string[]>> = {
  x86_64: ['i686', 'i586', 'i486', 'i386'],
  i686: ['i586', 'i486', 'i386'],
  s390x: ['s390'],
  ppc64: ['ppc'],
  mips64: ['mips'],
  mips64el: ['mipsel'],
  sparc64: ['sparc'],
  armv8l: ['armv7l'],
};

/**
 * Whether a machine runs programs of an architecture without emulation. `unknown` where processors
 * differ: many but not all aarch64 ones run 32-bit ARM programs.
 *
 * @param hostMachine What `uname -m` says on the rescue host.
 */
export const runsOn = (hostMachine: string, architecture: string): 'yes' | 'no' | 'unknown' => {
  if (hostMachine === architecture) return 'yes';
  if (alsoRuns[hostMachine]?.includes(architecture) === true) return 'yes';
  const arm32 = /^armv\d/;
  if (arm32.test(architecture) && (hostMachine === 'aarch64' || arm32.test(hostMachine))) {
    return 'unknown';
  }
  return 'no';
};
