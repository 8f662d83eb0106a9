import { flattenDevice } from '../../devices/device.ts';
import { extendedBootType } from '../../system-image/partition-types.ts';
import { ownDisks } from '../own-disks.ts';
import type { Subject } from '../subject.ts';
import type { EfiDirectory } from './efi-chains.ts';
import type { Esp } from './esp.ts';

/** Where systemd-boot looks, by paths from the top of a partition (sd-boot(7)). */
const places = ['/loader/entries', '/EFI/Linux'];

const isEntry = (name: string): boolean => /\.(?:conf|efi)$/i.test(name);

/** Type of an extended boot loader partition (XBOOTLDR), on GPT and on MBR. */
const extendedTypes = new Set([extendedBootType, '0xea']);

/** Whether only systemd-boot is there to be started; GRUB has a menu of its own. */
export const isOnlySystemdBoot = (directories: readonly EfiDirectory[]): boolean => {
  const kinds = new Set(directories.flatMap(({ programs }) => programs.map(({ kind }) => kind)));
  return kinds.has('systemd-boot') && !kinds.has('grub') && !kinds.has('shim');
};

/** An extended partition that fstab does not name: systemd mounts it by its type, and nobody here. */
const hasUnseenPartition = (subject: Subject): boolean => {
  const { devices, mounts } = subject;
  if (devices === null) return false;
  const mounted = new Set(mounts.flatMap(({ state, device }) => (state === 'mount' ? device : [])));
  return ownDisks(subject, devices)
    .flatMap(flattenDevice)
    .some(
      ({ partition, path }) =>
        extendedTypes.has(partition?.type?.toLowerCase() ?? '') && !mounted.has(path),
    );
};

/**
 * Whether systemd-boot has something to start: entries or unified images on the EFI system
 * partition, or on an extended boot loader partition, which a system mounts at /boot.
 */
export const hasLoaderEntries = async (subject: Subject, esp: Esp): Promise<boolean> => {
  if (hasUnseenPartition(subject)) return true;
  const own = places.map(async (path) =>
    ((await esp.files?.list(path)) ?? []).map(({ name }) => name),
  );
  const extended = places.map(async (path) => (await subject.files.list(`/boot${path}`)) ?? []);
  return (await Promise.all([...own, ...extended])).flat().some(isEntry);
};
