import { parseKernelName } from '../../system-image/device-names.ts';
import { firstRoot } from '../../system-image/fstab.ts';
import type { Subject } from '../subject.ts';
import { rootArgument } from './initramfs-need.ts';

/** Buses and drivers by which the kernel calls disks differently. */
export type DiskFamily = 'sd' | 'vd' | 'nvme' | 'xvd' | 'mmcblk';

const families = ['sd', 'vd', 'nvme', 'xvd', 'mmcblk'] as const satisfies readonly DiskFamily[];

/** Family of a name like `/dev/vda2`; null for any other name. */
export const familyOf = (path: string): DiskFamily | null => {
  const disk = path.startsWith('/dev/') ? parseKernelName(path)?.disk : undefined;
  return families.find((family) => disk?.startsWith(family) === true) ?? null;
};

/**
 * How the machine that the disk belongs to calls the disk of the root, as far as the system says so
 * itself: in fstab and on the kernel's command line. Other lines of fstab tell of other disks, and
 * by what the disk is attached here tells nothing of that machine.
 *
 * @param options the kernel's command line; null to leave it out.
 */
export const rootFamilies = (
  { facts }: Pick<Subject, 'facts'>,
  options: string | null,
): ReadonlySet<DiskFamily> => {
  const names = [firstRoot(facts.fstab)?.spec, options === null ? null : rootArgument(options)];
  return new Set(names.flatMap((name) => familyOf(name ?? '') ?? []));
};

/** How the kernel calls a disk that is attached like this; null where the bus tells nothing. */
export const familyOfTransport = (transport: string | null): DiskFamily | null => {
  switch (transport) {
    case 'virtio':
      return 'vd';
    case 'nvme':
      return 'nvme';
    case 'xen':
      return 'xvd';
    case 'mmc':
      return 'mmcblk';
    case 'scsi':
    case 'sata':
    case 'ata':
    case 'sas':
      return 'sd';
    default:
      // A dock, an image file, the network: the machine's own bus is certainly another one.
      return null;
  }
};
