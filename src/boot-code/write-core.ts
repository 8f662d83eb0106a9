import { bootCodeBytes } from './grub-core.ts';

const sectorBytes = 512;

/** Places in boot.img and in the first sector of core.img (grub-core/boot/i386/pc/*.S). */
const kernelSectorAt = 0x5c;
const bootDriveAt = 0x64;
const driveCheckAt = 0x66;
const firstBlockAt = 0x1f4;

/**
 * GRUB's boot.img with the place of its core image, as grub-bios-setup writes it. What follows 440
 * bytes is the disk's signature and its partitions and belongs to the disk.
 *
 * @param coreSector in units of 512 bytes.
 * @returns null when it is no boot.img.
 */
export const bootCodeFor = (bootImage: Buffer, coreSector: number): Buffer | null => {
  const isBoot = bootImage.length === sectorBytes && bootImage.includes('GRUB ');
  if (!isBoot) return null;
  const code = Buffer.from(bootImage.subarray(0, bootCodeBytes));
  code.writeBigUInt64LE(BigInt(coreSector), kernelSectorAt);
  // The BIOS says from which drive it boots; its answer is believed for hard disks.
  code.writeUInt8(0xff, bootDriveAt);
  code.writeUInt16LE(0x9090, driveCheckAt);
  return code;
};

/** core.img whose first sector knows where the others are: right behind it. Whole sectors. */
export const coreFor = (coreImage: Buffer, coreSector: number): Buffer => {
  const sectors = Math.ceil(coreImage.length / sectorBytes);
  const code = Buffer.alloc(sectors * sectorBytes);
  coreImage.copy(code);
  code.writeBigUInt64LE(BigInt(coreSector + 1), firstBlockAt);
  code.writeUInt16LE(sectors - 1, firstBlockAt + 8);
  return code;
};
