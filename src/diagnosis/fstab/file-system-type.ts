import { type Device, nodeOf } from '../../devices/device.ts';
import { plainText } from '../../host/plain-text.ts';
import { isBindMount, isNetworkFileSystem } from '../../system-image/fstab-spec.ts';
import type { Check } from '../check.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { bootEffect, severityOfEffect } from './boot-effect.ts';
import { isKnownType } from './known-types.ts';
import { lineEvidence, readTable, subjectOfEntry, type Table, type TableEntry } from './table.ts';

/**
 * Types under which the kernel mounts what blkid calls the key. The ext4 driver takes older ext file
 * systems, but as ext2 and ext3 it refuses what has features of ext4.
 */
const mountableAs: Readonly<Record<string, readonly string[]>> = {
  ext2: ['ext2', 'ext4'],
  ext3: ['ext2', 'ext3', 'ext4'],
  ext4: ['ext4', 'ext4dev'],
  vfat: ['vfat', 'msdos', 'fat', 'umsdos'],
  exfat: ['exfat', 'exfat-fuse', 'fuse', 'fuseblk'],
  ntfs: ['ntfs', 'ntfs3', 'ntfs-3g', 'lowntfs-3g', 'fuse', 'fuseblk', 'ufsd'],
  iso9660: ['iso9660', 'udf'],
  udf: ['udf', 'iso9660'],
  swap: ['swap'],
  swsuspend: ['swap'],
};

/** Types of which it is certain what mounts them; of others nothing is said. */
const judged = new Set(
  'ext2 ext3 ext4 xfs btrfs vfat exfat ntfs f2fs jfs reiserfs iso9660 udf squashfs erofs swap swsuspend crypto_LUKS'.split(
    ' ',
  ),
);

const fits = (declared: string, actual: string): boolean =>
  declared
    .split(',')
    .some((type) => type === 'auto' || (mountableAs[actual] ?? [actual]).includes(type));

/** What fstab is to say for a file system that blkid calls so. */
export const declaredTypeFor = (actual: string): string | null =>
  ['swsuspend', 'crypto_LUKS'].includes(actual) ? null : actual;

type Wrong = { readonly id: string; readonly title: string; readonly actual: string | null };

const wrongType = (declared: string, target: string, device: Device, known: boolean): Wrong => {
  const actual = plainText(device.fsType ?? '');
  const node = nodeOf(device) ?? device.name;
  return known
    ? {
        id: 'fstab.wrong-type',
        title: `The line for ${target} says ${declared}, and ${node} has ${actual}.`,
        actual,
      }
    : {
        id: 'fstab.unknown-type',
        title: `The line for ${target} says ${declared}, which is no file system; ${node} has ${actual}.`,
        actual,
      };
};

const judge = async (subject: Subject, one: TableEntry): Promise<Wrong | null> => {
  const { entry, target, resolution } = one;
  const declared = plainText(entry.fsType);
  if (isBindMount(entry) || isNetworkFileSystem(entry) || declared === 'none') return null;
  const place = entry.fsType === 'swap' ? 'swap' : plainText(target);
  if (resolution?.kind === 'found') {
    const actual = resolution.device.fsType ?? '';
    if (!judged.has(actual) || fits(entry.fsType, actual)) return null;
    return wrongType(declared, place, resolution.device, await isKnownType(subject, entry.fsType));
  }
  // A list is tried one after the other, and a device that is missing is the greater trouble.
  if (declared.includes(',') || resolution?.kind === 'missing') return null;
  if (await isKnownType(subject, entry.fsType)) return null;
  const title = `The line for ${place} says ${declared}, which no kernel or program of the system knows.`;
  return { id: 'fstab.unknown-type', title, actual: null };
};

const effectOf = async (subject: Subject, { entry, isRoot, target }: TableEntry) => {
  // A remount takes the type that is mounted; only what reads fstab by itself is misled.
  if (isRoot || target === '/') return 'goes-on';
  return bootEffect(subject.facts.init, entry, true);
};

const meaningOf = (effect: string, isRoot: boolean): string => {
  if (isRoot)
    return 'The root is mounted by the boot loader’s word, so the system boots. Tools that go by this line take it for another file system: the next initramfs may lack its driver.';
  switch (effect) {
    case 'stops':
      return 'The kernel refuses to mount it so, and the boot ends in emergency mode.';
    case 'goes-on':
      return 'It is not mounted, and the system boots without it.';
    default:
      return 'It is not mounted; the line allows that.';
  }
};

const look = async (
  subject: Subject,
  table: Table,
  one: TableEntry,
): Promise<readonly Finding[]> => {
  const wrong = await judge(subject, one);
  const effect = await effectOf(subject, one);
  if (wrong === null || effect === 'never') return [];
  const { resolution } = one;
  const device = resolution?.kind === 'found' ? resolution.device : null;
  const evidence = {
    kind: 'command',
    command: `blkid ${device === null ? '' : (nodeOf(device) ?? device.name)}`,
    output: `TYPE=${wrong.actual}`,
  } as const;
  const mendable = device !== null && declaredTypeFor(device.fsType ?? '') !== null;
  return [
    {
      id: wrong.id,
      severity: severityOfEffect(effect),
      title: wrong.title,
      subject: subjectOfEntry(one),
      evidence: [lineEvidence(table, one.entry.line), ...(device === null ? [] : [evidence])],
      meaning: meaningOf(effect, one.isRoot),
      repair: mendable ? 'fstab.set-type' : null,
    },
  ];
};

/** Lines that say another file system type than is on the device, or one that does not exist. */
export const fileSystemType: Check = {
  area: 'fstab',
  finds: ['fstab.wrong-type', 'fstab.unknown-type'],
  run: async (subject) => {
    const table = await readTable(subject);
    return (await Promise.all(table.entries.map((one) => look(subject, table, one)))).flat();
  },
};
