/** Length of a `newc` header (cpio(5)): a magic number and 13 fields of eight hex digits. */
const headerBytes = 110;
const sizeAt = 54;
const nameSizeAt = 94;

/** Reads a part of the archive; fewer bytes than asked for only at its end. */
export type ReadAt = (offsetBytes: number, length: number) => Promise<Buffer>;

export type CpioWalk = {
  /** Names of the entries in the uncompressed archives at the front. */
  readonly names: readonly string[];
  /** Where the first byte stands that is no uncompressed archive; the file's end when all was. */
  readonly restAt: number;
  /** What is wrong with it, or null. */
  readonly damage: string | null;
};

const pad = (value: number): number => Math.ceil(value / 4) * 4;

const hex = (buffer: Buffer, at: number): number => {
  const text = buffer.toString('latin1', at, at + 8);
  return /^[0-9A-Fa-f]{8}$/.test(text) ? Number.parseInt(text, 16) : Number.NaN;
};

const isHeader = (buffer: Buffer): boolean => /^07070[12]/.test(buffer.toString('latin1', 0, 6));

/** Reads in pieces of this size: an entry's header alone would be a read of 110 bytes each. */
const windowBytes = 1024 * 1024;

const windowed = (read: ReadAt): ReadAt => {
  let start = 0;
  let window: Buffer = Buffer.alloc(0);
  return async (offset, length) => {
    if (offset < start || offset + length > start + window.length) {
      start = offset;
      window = await read(offset, Math.max(length, windowBytes));
    }
    return window.subarray(offset - start, offset - start + length);
  };
};

/** The kernel skips zeros between archives. */
const skipZeros = async (read: ReadAt, from: number, size: number): Promise<number> => {
  let at = from;
  while (at < size) {
    const piece = await read(at, Math.min(4096, size - at));
    const found = piece.findIndex((byte) => byte !== 0);
    if (found !== -1) return at + found;
    if (piece.length === 0) return size;
    at += piece.length;
  }
  return size;
};

/** More entries than any initramfs has. */
const maxEntries = 200_000;

/**
 * Walks the uncompressed archives at the front of an initramfs: microcode, and since Debian 13 the
 * modules, which are compressed one by one (kernel: Documentation/driver-api/early-userspace/
 * buffer-format.rst).
 */
export const walkCpio = async (reader: ReadAt, size: number): Promise<CpioWalk> => {
  const read = windowed(reader);
  const names: string[] = [];
  let at = 0;
  for (let count = 0; count < maxEntries; count += 1) {
    const header = await read(at, headerBytes);
    if (!isHeader(header)) return { names, restAt: at, damage: null };
    const [fileSize, nameSize] = [hex(header, sizeAt), hex(header, nameSizeAt)];
    if (!(nameSize > 0 && nameSize <= 4096) || Number.isNaN(fileSize)) {
      return { names, restAt: at, damage: 'a header in it cannot be read' };
    }
    const name = (await read(at + headerBytes, nameSize)).toString('utf8').replace(/\0.*$/s, '');
    const end = pad(pad(at + headerBytes + nameSize) + fileSize);
    if (end > pad(size)) return { names, restAt: size, damage: 'it ends in the middle of a file' };
    at = name === 'TRAILER!!!' ? await skipZeros(read, end, size) : end;
    if (name !== 'TRAILER!!!') names.push(name);
    if (at >= size) {
      const whole = name === 'TRAILER!!!';
      return { names, restAt: size, damage: whole ? null : 'its end is missing' };
    }
  }
  return { names, restAt: size, damage: 'it has more entries than an initramfs can have' };
};
