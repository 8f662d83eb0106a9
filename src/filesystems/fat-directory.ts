/** A file or directory of a FAT file system. */
export type FatEntry = {
  readonly name: string;
  readonly isDirectory: boolean;
  readonly sizeBytes: number;
  readonly cluster: number;
};

const entryBytes = 32;
const longName = 0x0f;
const volumeLabel = 0x08;
const directory = 0x10;
/** Windows keeps short names in lower case by these bits instead of a long name. */
const lowerBase = 0x08;
const lowerExtension = 0x10;

const longPart = (entry: Buffer): string => {
  const bytes = Buffer.concat([
    entry.subarray(1, 11),
    entry.subarray(14, 26),
    entry.subarray(28, 32),
  ]);
  return bytes.toString('utf16le').replace(/[\0\uffff].*$/s, '');
};

const shortName = (entry: Buffer): string => {
  const flags = entry.readUInt8(12);
  const base = entry.toString('latin1', 0, 8).trimEnd();
  const extension = entry.toString('latin1', 8, 11).trimEnd();
  const cased = (part: string, bit: number) => ((flags & bit) === 0 ? part : part.toLowerCase());
  const name = cased(base, lowerBase);
  return extension === '' ? name : `${name}.${cased(extension, lowerExtension)}`;
};

/** Entries of a directory from its bytes, without `.`, `..`, labels and what is deleted. */
export const parseFatDirectory = (bytes: Buffer): readonly FatEntry[] => {
  const entries: FatEntry[] = [];
  let long: string[] = [];
  for (let at = 0; at + entryBytes <= bytes.length; at += entryBytes) {
    const entry = bytes.subarray(at, at + entryBytes);
    const [first = 0, attributes = 0] = [entry[0], entry[11]];
    if (first === 0) break;
    if (first === 0xe5) {
      long = [];
      continue;
    }
    if ((attributes & 0x3f) === longName) {
      // The last part comes first.
      long = [longPart(entry), ...long];
      continue;
    }
    const name = long.length > 0 ? long.join('') : shortName(entry);
    long = [];
    if ((attributes & volumeLabel) !== 0 || name === '.' || name === '..') continue;
    entries.push({
      name,
      isDirectory: (attributes & directory) !== 0,
      sizeBytes: entry.readUInt32LE(28),
      cluster: entry.readUInt16LE(20) * 65536 + entry.readUInt16LE(26),
    });
  }
  return entries;
};
