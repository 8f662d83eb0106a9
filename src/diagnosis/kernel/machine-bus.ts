import { oncePer } from '../../host/once-per.ts';
import { parseKernelName } from '../../system-image/device-names.ts';
import { firstRoot } from '../../system-image/fstab.ts';
import { journalOr, openJournal } from '../last-boots/journal.ts';
import { readBoots } from '../last-boots/read-boots.ts';
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

/** The kernel says of each file system on which device it is; the root's is the first of a boot. */
const mounted = /^(?:EXT4-fs|XFS|F2FS-fs|BTRFS info) \((?:device )?(\w+)[^)]*\): /;

/** How the kernel called the root's disk in the last boot that came to its end; read once. */
const lastBootFamily = oncePer(
  ({ files }: Subject) => files,
  async (subject): Promise<DiskFamily | null> => {
    const journal = await openJournal(subject);
    const boots = await readBoots(subject);
    const boot = boots.findLast(({ outcome }) => outcome === 'finished');
    // Without the beginning of its log the first one may be any disk.
    if (journal === null || boot?.kernel == null) return null;
    const said = await journal.entries([[`_BOOT_ID=${boot.id}`, '_TRANSPORT=kernel']]);
    // Of a kernel that says very much only the newest lines are given.
    if (!said.some(({ message }) => message.startsWith('Linux version '))) return null;
    const first = said.find(({ message }) => mounted.test(message));
    const name = mounted.exec(first?.message ?? '')?.[1];
    return name === undefined ? null : familyOf(`/dev/${name}`);
  },
);

/**
 * How the machine that the disk belongs to calls the disk of the root, as far as the system says so
 * itself: in the log of its last boot, which comes first, in fstab, and on the kernel's command line.
 * Other lines of fstab tell of other disks, and by what the disk is attached here tells nothing of
 * that machine.
 *
 * @param options the kernel's command line; null to leave it out.
 */
export const rootFamilies = async (
  subject: Subject,
  options: string | null,
): Promise<ReadonlySet<DiskFamily>> => {
  const root = options === null ? null : rootArgument(options);
  const names = [firstRoot(subject.facts.fstab)?.spec, root];
  const said = names.map((name) => familyOf(name ?? ''));
  const logged = await journalOr(() => lastBootFamily(subject), null);
  return new Set([logged, ...said].filter((family) => family !== null));
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
