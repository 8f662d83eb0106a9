import { type ElfReader, elfReader, parseElf } from './elf.ts';

/** What the dynamic loader reads of a program or library (elf(5), ld.so(8)). */
export type ElfImage = {
  /** As `uname -m` would say on its machine. */
  readonly machine: string;
  readonly interpreter: string | null;
  /** DT_NEEDED: the libraries it asks for, in their order. */
  readonly needed: readonly string[];
  readonly soname: string | null;
  /** DT_RPATH and DT_RUNPATH, split at colons, `$ORIGIN` as it is written. */
  readonly rpath: readonly string[];
  readonly runpath: readonly string[];
  /** Symbol versions it wants: `GLIBC_2.34` of `libc.so.6`. */
  readonly wants: readonly { readonly library: string; readonly version: string }[];
  /** Symbol versions it has. */
  readonly versions: readonly string[];
};

/** What is wrong with a file that should be one; `cut-off` has bytes missing or holds zeros. */
export type ElfFault = 'empty' | 'not-elf' | 'cut-off';

type Segment = { readonly offset: number; readonly address: number; readonly size: number };

type Parts = {
  readonly read: ElfReader;
  readonly bytes: Buffer;
  readonly loads: readonly Segment[];
  readonly dynamic: Segment | null;
};

const segmentKinds = { load: 1, dynamic: 2 } as const;
/** More than any linker makes, so that a damaged count ends. */
const mostEntries = 512;

const segmentAt = ({ wide, word }: ElfReader, at: number): Segment => ({
  offset: word(at + (wide ? 8 : 4)),
  address: word(at + (wide ? 16 : 8)),
  size: word(at + (wide ? 32 : 16)),
});

const partsOf = (read: ElfReader, bytes: Buffer): Parts => {
  const { wide, u16, u32, word } = read;
  const [table, entrySize] = [word(wide ? 32 : 28), u16(wide ? 54 : 42)];
  const count = Math.min(u16(wide ? 56 : 44), 64);
  const headers = Array.from({ length: count }, (_, index) => table + index * entrySize);
  const ofKind = (kind: number) =>
    headers.filter((at) => u32(at) === kind).map((at) => segmentAt(read, at));
  return {
    read,
    bytes,
    loads: ofKind(segmentKinds.load),
    dynamic: ofKind(segmentKinds.dynamic)[0] ?? null,
  };
};

const fileOffset = ({ loads }: Parts, address: number): number | null => {
  const load = loads.find((one) => address >= one.address && address < one.address + one.size);
  return load === undefined ? null : address - load.address + load.offset;
};

const textAt = ({ bytes }: Parts, offset: number): string => {
  if (!Number.isFinite(offset) || offset < 0 || offset >= bytes.length) return '';
  const end = bytes.indexOf(0, offset);
  const stop = end === -1 ? bytes.length : end;
  return bytes.toString('latin1', offset, Math.min(stop, offset + 4096));
};

const tags = {
  needed: 1,
  strings: 5,
  soname: 14,
  rpath: 15,
  runpath: 29,
  versionsHad: 0x6ffffffc,
  versionsHadCount: 0x6ffffffd,
  versionsWanted: 0x6ffffffe,
  versionsWantedCount: 0x6fffffff,
} as const;

type Entries = (tag: number) => readonly number[];

/** The dynamic table as a function from a tag to its values; null when it is not there. */
const entriesOf = ({ read, dynamic }: Parts): Entries | null => {
  if (dynamic === null) return null;
  const step = read.wide ? 8 : 4;
  const found: (readonly [number, number])[] = [];
  for (let index = 0; index < mostEntries; index += 1) {
    const at = dynamic.offset + index * step * 2;
    const tag = read.word(at);
    if (tag === 0) break;
    found.push([tag, read.word(at + step)]);
  }
  return found.length === 0
    ? null
    : (tag) => found.filter(([one]) => one === tag).map(([, value]) => value);
};

/** Verneed records: each library with the versions wanted of it, chained by offsets. */
const wantedVersions = (parts: Parts, entries: Entries, text: (offset: number) => string) => {
  const { u16, u32 } = parts.read;
  const wants: ElfImage['wants'][number][] = [];
  const [start] = entries(tags.versionsWanted);
  let at = start === undefined ? null : fileOffset(parts, start);
  const count = Math.min(entries(tags.versionsWantedCount)[0] ?? 0, mostEntries);
  for (let index = 0; index < count && at !== null; index += 1) {
    const library = text(u32(at + 4));
    let aux = at + u32(at + 8);
    for (let left = Math.min(u16(at + 2), mostEntries); left > 0; left -= 1) {
      // VER_FLG_WEAK: the program runs without it.
      if ((u16(aux + 4) & 2) === 0) wants.push({ library, version: text(u32(aux + 8)) });
      aux += u32(aux + 12);
    }
    const next = u32(at + 12);
    at = next === 0 ? null : at + next;
  }
  return wants;
};

const ownVersions = (parts: Parts, entries: Entries, text: (offset: number) => string) => {
  const { u32 } = parts.read;
  const versions: string[] = [];
  const [start] = entries(tags.versionsHad);
  let at = start === undefined ? null : fileOffset(parts, start);
  const count = Math.min(entries(tags.versionsHadCount)[0] ?? 0, mostEntries);
  for (let index = 0; index < count && at !== null; index += 1) {
    versions.push(text(u32(at + u32(at + 12))));
    const next = u32(at + 16);
    at = next === 0 ? null : at + next;
  }
  return versions;
};

const paths = (texts: readonly string[]): readonly string[] =>
  texts.flatMap((text) => text.split(':')).filter((path) => path !== '');

const imageOf = (parts: Parts, entries: Entries | null) => {
  const strings = entries === null ? null : fileOffset(parts, entries(tags.strings)[0] ?? -1);
  if (entries === null || strings === null) {
    return { needed: [], soname: null, rpath: [], runpath: [], wants: [], versions: [] };
  }
  const text = (offset: number): string => textAt(parts, strings + offset);
  const texts = (tag: number): readonly string[] => entries(tag).map(text);
  return {
    needed: texts(tags.needed),
    soname: texts(tags.soname)[0] ?? null,
    rpath: paths(texts(tags.rpath)),
    runpath: paths(texts(tags.runpath)),
    wants: wantedVersions(parts, entries, text),
    versions: ownVersions(parts, entries, text),
  };
};

const isCutOff = (parts: Parts, sizeBytes: number): boolean =>
  parts.loads.length === 0 ||
  parts.loads.some(({ offset, size }) => offset + size > sizeBytes) ||
  (parts.dynamic !== null && entriesOf(parts) === null);

/**
 * Reads a whole program or library without running it. Nothing in a damaged file makes it fail or
 * go on for ever.
 *
 * @param sizeBytes size of the file; `bytes` may hold less of it, from its start.
 * @returns the image, or what is wrong with the file.
 */
export const readElfImage = (bytes: Buffer, sizeBytes: number): ElfImage | ElfFault => {
  if (sizeBytes === 0) return 'empty';
  const [read, elf] = [elfReader(bytes), parseElf(bytes)];
  if (read === null || elf === null) return 'not-elf';
  const parts = partsOf(read, bytes);
  if (isCutOff(parts, sizeBytes)) return 'cut-off';
  return { ...elf, ...imageOf(parts, entriesOf(parts)) };
};
