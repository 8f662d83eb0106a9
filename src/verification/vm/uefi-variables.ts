/** A program on an EFI system partition of a GPT disk, as a machine's firmware has it entered. */
export type EnteredProgram = {
  readonly partition: {
    readonly number: number;
    readonly startSector: number;
    readonly sectors: number;
    /** PARTUUID. */
    readonly uuid: string;
  };
  /** For instance `/EFI/DEBIAN/SHIMX64.EFI`. */
  readonly path: string;
};

/** EFI_GLOBAL_VARIABLE, the owner of `Boot####` and `BootOrder`. */
const globalVariable = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
/** Kept, and readable before and after the operating system has taken over. */
const attributes = 7;

/** A GUID in memory: its first three parts are little-endian (UEFI 2.10, appendix A). */
const guid = (text: string): Buffer => {
  const bytes = Buffer.from(text.replaceAll('-', ''), 'hex');
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
};

const text16 = (text: string): Buffer => Buffer.from(`${text}\0`, 'utf16le');

const devicePathNode = (subType: number, data: Buffer): Buffer => {
  const header = Buffer.of(4, subType, 0, 0);
  header.writeUInt16LE(4 + data.length, 2);
  return Buffer.concat([header, data]);
};

/** The partition by its GUID, wherever the disk is attached, then the file in it (10.3.5). */
const devicePath = ({ partition, path }: EnteredProgram): Buffer => {
  const place = Buffer.alloc(20);
  place.writeUInt32LE(partition.number, 0);
  place.writeBigUInt64LE(BigInt(partition.startSector), 4);
  place.writeBigUInt64LE(BigInt(partition.sectors), 12);
  const kinds = Buffer.of(2, 2);
  return Buffer.concat([
    devicePathNode(1, Buffer.concat([place, guid(partition.uuid), kinds])),
    devicePathNode(4, text16(path.replaceAll('/', '\\'))),
    Buffer.of(0x7f, 0xff, 4, 0),
  ]);
};

/** EFI_LOAD_OPTION (3.1.3). */
const loadOption = (program: EnteredProgram): Buffer => {
  const path = devicePath(program);
  const head = Buffer.alloc(6);
  head.writeUInt32LE(1, 0);
  head.writeUInt16LE(path.length, 4);
  return Buffer.concat([head, text16('System on the disk'), path]);
};

const headerBytes = 60;
const startMark = 0x55aa;

/** EDK2's AUTHENTICATED_VARIABLE_HEADER (VariableFormat.h) with name and data, in steps of four. */
const variable = (name: string, data: Buffer): Buffer => {
  const title = text16(name);
  const header = Buffer.alloc(headerBytes);
  header.writeUInt16LE(startMark, 0);
  header.writeUInt8(0x3f, 2);
  header.writeUInt32LE(attributes, 4);
  header.writeUInt32LE(title.length, 36);
  header.writeUInt32LE(data.length, 40);
  guid(globalVariable).copy(header, 44);
  const whole = Buffer.concat([header, title, data]);
  // Unwritten flash is all ones.
  return Buffer.concat([whole, Buffer.alloc((4 - (whole.length % 4)) % 4, 0xff)]);
};

const storeMark = guid('aaf32c78-947b-439a-a180-2e144ec37792');
const storeHeaderBytes = 28;

/** Offset behind the last variable of the store; null when the file has another form. */
const freeOffset = (flash: Buffer): number | null => {
  if (flash.toString('latin1', 40, 44) !== '_FVH') return null;
  const store = flash.readUInt16LE(48);
  if (!flash.subarray(store, store + 16).equals(storeMark)) return null;
  let at = store + storeHeaderBytes;
  while (at + headerBytes < flash.length && flash.readUInt16LE(at) === startMark) {
    const size = headerBytes + flash.readUInt32LE(at + 36) + flash.readUInt32LE(at + 40);
    at += Math.ceil(size / 4) * 4;
  }
  return at;
};

/**
 * EDK2's flash with an entry for a program in it, as the installer made it in the machine's own
 * firmware. Null when the flash has a form that is not known; it is then used as it is.
 */
export const withEntry = (flash: Buffer, program: EnteredProgram): Buffer | null => {
  const at = freeOffset(flash);
  if (at === null) return null;
  const added = Buffer.concat([
    variable('Boot0000', loadOption(program)),
    variable('BootOrder', Buffer.of(0, 0)),
  ]);
  if (at + added.length > flash.length) return null;
  return Buffer.concat([flash.subarray(0, at), added, flash.subarray(at + added.length)]);
};
