import { crc32 } from 'node:zlib';

/** Reads a part of a disk; fewer bytes than asked for only at its end. */
export type ReadDisk = (offsetBytes: number, length: number) => Promise<Buffer>;

/** One of the two copies of a GUID partition table (UEFI specification, chapter 5). */
export type GptCopy = {
  /** Sector of its header. */
  readonly at: number;
  readonly header: Buffer;
  readonly entries: Buffer;
  /** Sectors, as the header names them. */
  readonly alternate: number;
  readonly firstUsable: number;
  readonly lastUsable: number;
  readonly entriesAt: number;
};

export type GptLook =
  | { readonly kind: 'valid'; readonly copy: GptCopy }
  | { readonly kind: 'damaged'; readonly reason: string };

const signature = 'EFI PART';
const minHeaderBytes = 92;

/** More than any table has: 128 entries of 128 bytes are usual. */
const maxEntriesBytes = 4 * 1024 * 1024;

const headerCrc = (header: Buffer): number => {
  const copy = Buffer.from(header);
  copy.writeUInt32LE(0, 16);
  return crc32(copy);
};

const sectorNumber = (buffer: Buffer, at: number): number => Number(buffer.readBigUInt64LE(at));

const damaged = (reason: string): GptLook => ({ kind: 'damaged', reason });

/**
 * Reads the copy whose header is in a sector, and checks both of its sums.
 *
 * @param sectorBytes logical sector size of the disk.
 */
export const readGptCopy = async (
  read: ReadDisk,
  sectorBytes: number,
  at: number,
): Promise<GptLook> => {
  const sector = await read(at * sectorBytes, sectorBytes);
  if (sector.length < minHeaderBytes || sector.toString('latin1', 0, 8) !== signature) {
    return damaged('there is no header of a GUID partition table');
  }
  const headerBytes = sector.readUInt32LE(12);
  if (headerBytes < minHeaderBytes || headerBytes > sectorBytes) {
    return damaged('its header has an impossible size');
  }
  const header = sector.subarray(0, headerBytes);
  if (headerCrc(header) !== header.readUInt32LE(16)) {
    return damaged('the checksum of its header is wrong');
  }
  if (sectorNumber(header, 24) !== at) return damaged('its header belongs to another sector');
  const entriesAt = sectorNumber(header, 72);
  const length = header.readUInt32LE(80) * header.readUInt32LE(84);
  if (length > maxEntriesBytes) return damaged('its list of partitions has an impossible size');
  const entries = await read(entriesAt * sectorBytes, length);
  if (crc32(entries) !== header.readUInt32LE(88)) {
    return damaged('the checksum of its list of partitions is wrong');
  }
  return {
    kind: 'valid',
    copy: {
      ...{ at, header, entries, entriesAt },
      alternate: sectorNumber(header, 32),
      firstUsable: sectorNumber(header, 40),
      lastUsable: sectorNumber(header, 48),
    },
  };
};

const guid = (buffer: Buffer): string => buffer.toString('hex', 56, 72);

/** Whether both copies describe the same partitions of the same disk. */
export const copiesAgree = (one: GptCopy, other: GptCopy): boolean =>
  one.entries.equals(other.entries) && guid(one.header) === guid(other.header);

/**
 * The other copy's header and list, made from a valid one: the header names its own sector, that of
 * its twin, and where its list is.
 */
export const twinOf = (
  copy: GptCopy,
  at: number,
  entriesAt: number,
): { readonly header: Buffer; readonly entries: Buffer } => {
  const header = Buffer.from(copy.header);
  header.writeBigUInt64LE(BigInt(at), 24);
  header.writeBigUInt64LE(BigInt(copy.at), 32);
  header.writeBigUInt64LE(BigInt(entriesAt), 72);
  header.writeUInt32LE(0, 16);
  header.writeUInt32LE(crc32(header), 16);
  return { header, entries: copy.entries };
};

/** A partition as an entry of the list describes it; sectors of the disk. */
export type GptPartition = {
  /** From 1. */
  readonly number: number;
  readonly type: string;
  readonly uuid: string;
  readonly label: string | null;
  readonly first: number;
  readonly last: number;
};

/** A GUID in the notation of blkid: the first three groups are little-endian (appendix A). */
const guidText = (entry: Buffer, at: number): string => {
  const group = (start: number, end: number, reverse: boolean): string => {
    const bytes = Buffer.from(entry.subarray(at + start, at + end));
    return (reverse ? bytes.reverse() : bytes).toString('hex');
  };
  return [
    ...[group(0, 4, true), group(4, 6, true), group(6, 8, true)],
    ...[group(8, 10, false), group(10, 16, false)],
  ].join('-');
};

const unused = '00000000-0000-0000-0000-000000000000';

/** The partitions that a copy lists; entries that no disk could have are left out. */
export const gptPartitions = ({ header, entries }: GptCopy): readonly GptPartition[] => {
  const entryBytes = header.readUInt32LE(84);
  if (entryBytes < 128) return [];
  const count = Math.floor(entries.length / entryBytes);
  return Array.from({ length: count }, (_, index) => index).flatMap((index) => {
    const entry = entries.subarray(index * entryBytes, (index + 1) * entryBytes);
    const [type, first, last] = [
      guidText(entry, 0),
      sectorNumber(entry, 32),
      sectorNumber(entry, 40),
    ];
    if (type === unused || first < 2 || last < first) return [];
    const label = entry.toString('utf16le', 56, 128).replace(/\0.*$/s, '');
    return [
      {
        ...{ number: index + 1, type, uuid: guidText(entry, 16), first, last },
        label: label === '' ? null : label,
      },
    ];
  });
};

export type ProtectiveMbr = 'protective' | 'missing';

const partitionsAt = 446;

/**
 * Whether the first sector says that the disk has a GUID partition table. Without it the kernel and
 * firmware see no partitions (kernel: block/partitions/efi.c, `is_pmbr_valid`).
 */
export const protectiveMbr = (sector: Buffer): ProtectiveMbr => {
  const hasSignature = sector.length >= 512 && sector.readUInt16LE(510) === 0xaa55;
  const types = [0, 1, 2, 3].map((index) => sector[partitionsAt + index * 16 + 4]);
  return hasSignature && types.includes(0xee) ? 'protective' : 'missing';
};
