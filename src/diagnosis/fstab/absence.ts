import { plainText } from '../../host/plain-text.ts';
import { crypttabEntry } from '../../system-image/crypttab.ts';
import { type FstabSpec, parseSpec } from '../../system-image/fstab-spec.ts';
import { resolveContainer } from '../../system-image/resolve-spec.ts';
import { hasClosedLayer } from '../../system-image/target-devices.ts';
import type { Subject, SubjectDevices } from '../subject.ts';
import { resolveContextOf, type TableEntry } from './table.ts';

/** Types that stand on a block device, or on a file that is shown as one. */
export const diskTypes: ReadonlySet<string> = new Set(
  'auto ext2 ext3 ext4 xfs btrfs vfat msdos exfat ntfs ntfs3 ntfs-3g f2fs jfs reiserfs swap'.split(
    ' ',
  ),
);

/** Made by the system itself when it boots, or a drive that may well be empty. */
const volatileDevice =
  /^\/dev\/(?:root|zram|ram|loop|sr|scd|cdrom|dvd|fd\d|floppy|zvol|drbd|rbd|nbd|bcache|fuse|shm|null|cloud)/;

/** Device-mapper names that crypttab makes; what they stand on is the question of another check. */
const madeByCrypttab = (spec: string, subject: Subject): boolean => {
  const name = /^\/dev\/mapper\/([^/]+)$/.exec(spec)?.[1];
  return name !== undefined && crypttabEntry(subject.facts.crypttab, name) !== null;
};

/**
 * The names of udev for a serial number cannot be told when the disks do not show theirs: an image
 * has none, and some docks hide it.
 */
export const isUntold = (spec: FstabSpec, devices: SubjectDevices): boolean =>
  spec.kind === 'by-id' && devices.disks.some(({ serial }) => serial === null || serial === '');

/** How sure it is that nothing attached is what a line means. */
export type Absence = {
  readonly reason: string;
  /** It may be inside of what is not open, or have a name that cannot be told here. */
  readonly unsure: boolean;
};

const letterCase = 'the name differs from the disk in letter case, and udev compares exactly';

/**
 * Whether the device of a line is missing as far as the attached disks tell; null when it is there,
 * when the line needs none, or when the system makes it by itself.
 */
export const absenceOf = (
  { entry, resolution }: TableEntry,
  subject: Subject,
  devices: SubjectDevices,
): Absence | null => {
  const spec = parseSpec(entry.spec, entry);
  if (
    resolution?.kind === 'found' &&
    spec.kind === 'uuid' &&
    /letter case/.test(resolution.note ?? '')
  )
    return { reason: letterCase, unsure: false };
  if (resolution?.kind === 'found' && /^\/dev\/hd[a-z]\d*$/.test(entry.spec)) {
    return { reason: 'Linux has called no disk so for many years', unsure: false };
  }
  if (resolution?.kind !== 'missing' || volatileDevice.test(entry.spec)) return null;
  if (madeByCrypttab(entry.spec, subject)) return null;
  // What names no device at all is a matter of its type: `s3fs#bucket`, a ZFS dataset.
  if (!entry.fsType.split(',').some((type) => diskTypes.has(type))) return null;
  if (spec.kind === 'unknown' && entry.fsType === 'auto') return null;
  const unsure = hasClosedLayer(devices.disks) || isUntold(spec, devices);
  return { reason: plainText(resolution.reason), unsure };
};

/** The same for the encrypted device of a crypttab line. */
export const containerAbsence = (
  entry: Subject['facts']['crypttab'][number],
  subject: Subject,
  devices: SubjectDevices,
): Absence | null => {
  const spec = parseSpec(entry.source);
  if (spec.kind === 'file' || volatileDevice.test(entry.source)) return null;
  const found = resolveContainer(entry, resolveContextOf(subject, devices));
  if (found.kind !== 'missing') return null;
  // An LVM volume or an array below another encrypted one.
  const unsure = hasClosedLayer(devices.disks) || isUntold(spec, devices);
  return { reason: plainText(found.reason), unsure };
};
