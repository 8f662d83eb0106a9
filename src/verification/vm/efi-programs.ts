import type { ReadDisk } from '../../devices/gpt.ts';
import type { FatEntry } from '../../filesystems/fat-directory.ts';
import { openFat } from '../../filesystems/fat-reader.ts';

/** Directories of vendors on one EFI system partition; more are none. */
const maxVendors = 64;

const isProgram = ({ name, isDirectory, sizeBytes }: FatEntry): boolean =>
  !isDirectory && /\.efi$/i.test(name) && sizeBytes > 0;

/**
 * The EFI programs on an EFI system partition, for instance `/EFI/debian/shimx64.efi`. Read without
 * mounting: fstab may not name the partition, and the rescue host's kernel may not know vfat.
 */
export const efiProgramsOn = async (read: ReadDisk): Promise<readonly string[]> => {
  const fat = await openFat(read);
  const vendors = ((await fat?.list('/EFI')) ?? []).filter(({ isDirectory }) => isDirectory);
  const found = await Promise.all(
    vendors.slice(0, maxVendors).map(async (vendor) => {
      const programs = ((await fat?.list(`/EFI/${vendor.name}`)) ?? []).filter(isProgram);
      return programs.map(({ name }) => `/EFI/${vendor.name}/${name}`);
    }),
  );
  return found.flat();
};

/** What firmware without an entry of its own starts (UEFI 2.10, 3.5.1.1). */
const removablePath = /^\/EFI\/BOOT\/BOOTX64\.EFI$/i;

/** In the order in which installers enter them into the firmware. */
const usualPrograms: readonly RegExp[] = [
  /\/shimx64\.efi$/i,
  /\/grubx64\.efi$/i,
  /\/systemd-bootx64\.efi$/i,
  /\/refind_x64\.efi$/i,
];

/** A program by which firmware for x86-64 starts a system, and no tool, fallback or update. */
export const isLoader = (path: string): boolean =>
  removablePath.test(path) || usualPrograms.some((pattern) => pattern.test(path));

/**
 * The program that the machine's own firmware has an entry for, when the disk does without the path
 * that needs none. Such a disk boots where it was installed, and only there.
 */
export const enteredProgram = (programs: readonly string[]): string | null => {
  if (programs.some((path) => removablePath.test(path))) return null;
  for (const pattern of usualPrograms) {
    const found = programs.find((path) => pattern.test(path));
    if (found !== undefined) return found;
  }
  return null;
};
