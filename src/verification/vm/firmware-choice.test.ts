import { expect, test } from 'vitest';
import type { TablePartition } from '../../devices/partition-table.ts';
import { enteredProgram } from './efi-programs.ts';
import { type DiskStart, enteredOn, firmwaresFor } from './firmware-choice.ts';

const esp = 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b';
const biosBoot = '21686148-6449-6e6f-744e-656564454649';
const linux = '0fc63daf-8483-4772-8e79-3d69d8477de4';

const partition = (number: number, type: string): TablePartition => ({
  ...{ number, type, name: `vda${number}`, label: null },
  ...{ startBytes: number * 1024 * 1024, sizeBytes: 1024 * 1024 },
  uuid: '870231fd-6185-3148-b00e-7577ffa816e9',
});

const disk = (
  bootCode: string,
  types: readonly string[],
  efiPrograms: readonly string[] = [],
  coreSectors: readonly Buffer[] = [],
): DiskStart => {
  const firstSector = Buffer.alloc(512);
  firstSector.write(bootCode, 'latin1');
  const partitions = types.map((type, index) => partition(index + 1, type));
  return { firstSector, coreSectors, partitions, efiPrograms };
};

const loader = ['/EFI/BOOT/BOOTX64.EFI'];

test('boot code calls for a BIOS, a program on the EFI system partition for UEFI, both for both', () => {
  expect(firmwaresFor([disk('code', ['0x83'])])).toEqual(['bios']);
  expect(firmwaresFor([disk('', [esp, linux], loader)])).toEqual(['uefi']);
  expect(firmwaresFor([disk('GRUB', [biosBoot, esp, linux], loader)])).toEqual(['bios', 'uefi']);
  expect(firmwaresFor([disk('code', ['0xef', '0x83'], loader)])).toEqual(['bios', 'uefi']);
});

test('the stub that partitioning tools leave on a GPT disk is no boot code', () => {
  expect(firmwaresFor([disk('stub', [esp, linux], loader)])).toEqual(['uefi']);
});

/** The first sector of a core image: what diskboot.img says, and a list with one entry. */
const coreSector = (): Buffer => {
  const sector = Buffer.alloc(512);
  sector.write('loading', 0x100, 'latin1');
  sector.writeBigUInt64LE(2049n, 0x1f4);
  sector.writeUInt16LE(60, 0x1f4 + 8);
  return sector;
};

test('a BIOS boot partition counts when GRUB’s core image is in it, and not when it was never filled', () => {
  const empty = [Buffer.alloc(512)];
  expect(firmwaresFor([disk('', [biosBoot, esp, linux], loader, empty)])).toEqual(['uefi']);
  expect(firmwaresFor([disk('', [biosBoot, esp, linux], loader, [coreSector()])])).toEqual([
    ...['bios', 'uefi'],
  ]);
});

test('only a program that starts a system calls for UEFI', () => {
  const tools = ['/EFI/tools/memtest.efi', '/EFI/Dell/BiosUpdate.efi', '/EFI/debian/mmx64.efi'];
  expect(firmwaresFor([disk('code', ['0xef', '0x83'], tools)])).toEqual(['bios']);
  for (const path of ['/EFI/debian/shimx64.efi', '/EFI/systemd/systemd-bootx64.efi']) {
    expect(firmwaresFor([disk('code', ['0xef', '0x83'], [path])])).toEqual(['bios', 'uefi']);
  }
});

test('a lost first sector or a lost loader is looked for where it was', () => {
  expect(firmwaresFor([disk('', [biosBoot, linux])])).toEqual(['bios']);
  expect(firmwaresFor([disk('', [esp, linux])])).toEqual(['uefi']);
  expect(firmwaresFor([disk('', [])])).toEqual(['bios']);
});

test('one disk of several is enough', () => {
  expect(firmwaresFor([disk('', [linux]), disk('', [esp], loader)])).toEqual(['uefi']);
});

test("the installer's entry is needed only without the path that every firmware tries", () => {
  const debian = ['/EFI/debian/grubx64.efi', '/EFI/debian/shimx64.efi', '/EFI/debian/mmx64.efi'];
  expect(enteredProgram(debian)).toBe('/EFI/debian/shimx64.efi');
  expect(enteredProgram([...debian, '/EFI/Boot/bootx64.efi'])).toBe(null);
  expect(enteredProgram(['/EFI/tools/memtest.efi'])).toBe(null);
  expect(enteredOn([disk('', [linux]), disk('', [linux, esp], debian)])).toEqual({
    path: '/EFI/debian/shimx64.efi',
    partition: {
      ...{ number: 2, startSector: 4096, sectors: 2048 },
      uuid: '870231fd-6185-3148-b00e-7577ffa816e9',
    },
  });
});
