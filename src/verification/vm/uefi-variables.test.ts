import { expect, test } from 'vitest';
import { type EnteredProgram, withEntry } from './uefi-variables.ts';

const program: EnteredProgram = {
  partition: {
    ...{ number: 2, startSector: 4096, sectors: 131072 },
    uuid: '870231fd-6185-3148-b00e-7577ffa816e9',
  },
  path: '/EFI/debian/shimx64.efi',
};

/** Where the variables begin in EDK2's image: behind the headers of volume and store. */
const first = 0x48 + 28;

/** An image with these variables, as EDK2 lays it down. */
const flashWith = (variables: Buffer): Buffer => {
  const flash = Buffer.alloc(4096, 0xff);
  flash.fill(0, 0, first);
  flash.write('_FVH', 40, 'latin1');
  flash.writeUInt16LE(0x48, 48);
  Buffer.from('782cf3aa7b949a43a1802e144ec37792', 'hex').copy(flash, 0x48);
  variables.copy(flash, first);
  return flash;
};

const utf16 = (text: string) => Buffer.from(text, 'utf16le');

test('an empty flash gets an entry that names partition and file, and a boot order with it', () => {
  const flash = withEntry(flashWith(Buffer.alloc(0)), program);
  expect(flash?.length).toBe(4096);
  expect(flash?.readUInt16LE(first)).toBe(0x55aa);
  expect(flash?.includes(utf16('Boot0000'))).toBe(true);
  expect(flash?.includes(utf16('BootOrder'))).toBe(true);
  expect(flash?.includes(utf16('\\EFI\\debian\\shimx64.efi'))).toBe(true);
  // As the partition table has it: little-endian in its first three parts.
  expect(flash?.includes(Buffer.from('fd31028785614831b00e7577ffa816e9', 'hex'))).toBe(true);
});

test('variables that are there stay, and the entry follows them', () => {
  const once = withEntry(flashWith(Buffer.alloc(0)), program);
  const twice = once === null ? null : withEntry(once, program);
  const starts = (flash: Buffer | null) =>
    flash === null ? 0 : flash.toString('latin1').split('\xaa\x55\x3f').length - 1;
  expect(starts(once)).toBe(2);
  expect(starts(twice)).toBe(4);
});

test('a flash of another form is left as it is, and one that is full, too', () => {
  expect(withEntry(Buffer.alloc(4096), program)).toBe(null);
  expect(withEntry(flashWith(Buffer.alloc(0)).subarray(0, first + 100), program)).toBe(null);
});
