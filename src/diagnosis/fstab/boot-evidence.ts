import { posix } from 'node:path';
import type { Device } from '../../devices/device.ts';
import { topNames } from '../../filesystems/top-names.ts';
import { isInterruption } from '../../host/rescue-error.ts';
import { hasBootNames } from '../../system-image/content.ts';
import { extendedBootType } from '../../system-image/partition-types.ts';
import { type EfiDirectory, efiDirectories } from '../boot-loader/efi-chains.ts';
import { espsOf } from '../boot-loader/esp.ts';
import { searchedUuid } from '../boot-loader/menu-text.ts';
import type { Subject } from '../subject.ts';

/** Links to the kernel lie at the top of a root, too. */
const isOfRoot = (names: readonly string[]): boolean =>
  ['etc', 'usr', 'var', 'home'].some((name) => names.includes(name));

/** Whether what lies at its top is what lies in a /boot; null when it cannot be looked into. */
export const holdsBoot = async (subject: Subject, device: Device): Promise<boolean | null> => {
  const names = await topNames(subject.host, device);
  return names === null ? null : hasBootNames(names) && !isOfRoot(names);
};

const hasBootLabel = ({ label, partition }: Device): boolean =>
  [label, partition?.label].some((name) => /^\/?boot$/i.test(name ?? ''));

/** None where a partition cannot be read: then it says nothing. */
const directoriesOnEsps = async (subject: Subject): Promise<readonly EfiDirectory[]> => {
  try {
    return (await Promise.all((await espsOf(subject)).map(efiDirectories))).flat();
  } catch (error) {
    if (isInterruption(error)) throw error;
    return [];
  }
};

/** Whether the system's own directory on the EFI system partition leads GRUB there for its menu. */
const isNamedOnEsp = async (subject: Subject, { uuid }: Device): Promise<boolean> => {
  const { id } = subject.facts.os;
  if (uuid === null || id === null) return false;
  const directories = await directoriesOnEsps(subject);
  return directories.some(
    ({ path, config }) =>
      posix.basename(path).toLowerCase() === id &&
      // With /boot on the root it looks for /boot/grub there.
      !/\/boot\/grub/.test(config ?? '') &&
      searchedUuid(config ?? '')?.toLowerCase() === uuid.toLowerCase(),
  );
};

/**
 * Whether something says that a file system is the system's /boot: the type of its partition, what
 * lies at its top, or, where that cannot be read, its label or the EFI system partition.
 */
export const isEvidentBoot = async (subject: Subject, device: Device): Promise<boolean> => {
  if (device.partition?.type?.toLowerCase() === extendedBootType) return true;
  const holds = await holdsBoot(subject, device);
  return holds ?? (hasBootLabel(device) || (await isNamedOnEsp(subject, device)));
};
