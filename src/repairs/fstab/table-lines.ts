import { type Device, nodeOf } from '../../devices/device.ts';
import { isEvidentBoot } from '../../diagnosis/fstab/boot-evidence.ts';
import { declaredTypeFor } from '../../diagnosis/fstab/file-system-type.ts';
import { isEsp, specFor } from '../../diagnosis/fstab/replacement.ts';
import type { Subject, SubjectDevices } from '../../diagnosis/subject.ts';
import { formatFstabEntry } from '../../system-image/fstab.ts';
import { candidatesAmong, sameDevice } from '../../system-image/target-devices.ts';

const entryLine = (
  subject: Subject,
  device: Device,
  target: string,
  options: readonly string[],
  pass: number,
): string | null => {
  // A logical volume keeps its name: /dev/ as the name before says so.
  const spec = specFor(device, device.kind === 'lvm' ? '/dev/' : '', subject);
  const fsType = declaredTypeFor(device.fsType ?? '');
  return spec === null || fsType === null
    ? null
    : formatFstabEntry({ line: 0, spec, target, fsType, options, dump: 0, pass });
};

/** The line of the root file system; null when its device has no name that lasts. */
export const rootLine = (subject: Subject, { root, subvolume }: SubjectDevices): string | null => {
  const ext = ['ext2', 'ext3', 'ext4'].includes(root.fsType ?? '');
  const options = [
    ...(ext ? ['errors=remount-ro'] : ['defaults']),
    ...(root.fsType === 'btrfs' && subvolume !== null ? [`subvol=${subvolume}`] : []),
  ];
  // XFS and btrfs are checked by the kernel when they are mounted (fsck.xfs(8)).
  return entryLine(subject, root, '/', options, ext ? 1 : 0);
};

type Rest = {
  readonly boot: readonly Device[];
  readonly esp: readonly Device[];
  readonly swap: readonly Device[];
};

const otherDevices = ({ root, disk }: SubjectDevices): Rest => {
  const all = candidatesAmong(
    [disk],
    (device) => !sameDevice(device, root) && declaredTypeFor(device.fsType ?? '') !== null,
  ).map(({ device }) => device);
  const free = all.filter((device) => device.fsType !== null && !device.fsType.includes('_'));
  return {
    esp: free.filter(isEsp),
    swap: free.filter(({ fsType }) => fsType === 'swap'),
    boot: free.filter((device) => !isEsp(device) && device.fsType !== 'swap'),
  };
};

/** Lines, or why it is not certain what they would have to be. */
export type TableLines =
  | { readonly kind: 'lines'; readonly lines: readonly string[] }
  | { readonly kind: 'unsure'; readonly reason: string };

const unsure = (reason: string): TableLines => ({ kind: 'unsure', reason });

const isEmpty = async ({ files }: Subject, path: string): Promise<boolean> =>
  ((await files.list(path)) ?? []).length === 0;

/** Both names are usual; the one that exists is meant. */
const espTarget = async ({ files }: Subject): Promise<string | null> => {
  if (await files.isDirectory('/boot/efi')) return '/boot/efi';
  return (await files.isDirectory('/efi')) ? '/efi' : null;
};

/**
 * A whole table from what is on the root's disk: the root itself, a /boot of its own when the
 * directory is empty and something says that the file system is it, the EFI system partition and swap
 * when there is one of each. With any further file system it is not certain what the table was.
 */
export const tableLines = async (
  subject: Subject,
  devices: SubjectDevices,
): Promise<TableLines> => {
  const root = rootLine(subject, devices);
  if (root === null) return unsure('the root has no UUID');
  const { boot, esp, swap } = otherDevices(devices);
  const wantsBoot = await isEmpty(subject, '/boot');
  const [only, further] = boot;
  if (further !== undefined || (only !== undefined && !wantsBoot)) {
    return unsure(
      `the disk has more file systems, and what they were is not certain: ${boot.map((device) => nodeOf(device) ?? device.name).join(', ')}`,
    );
  }
  if (only === undefined && wantsBoot) return unsure('/boot is empty and no file system fits it');
  // It may as well be the system's /home, and /boot the mount point of the EFI system partition.
  if (only !== undefined && !(await isEvidentBoot(subject, only))) {
    return unsure(
      `the disk has one more file system, and nothing on it says that it is /boot: ${nodeOf(only) ?? only.name}`,
    );
  }
  const [espDevice] = esp.length === 1 ? esp : [];
  const [swapDevice] = swap.length === 1 ? swap : [];
  // With a /boot of its own its mount point for the ESP is inside of it, and cannot be seen here.
  const espPlace = only === undefined ? await espTarget(subject) : '/boot/efi';
  const lines = [
    root,
    ...(only === undefined ? [] : [entryLine(subject, only, '/boot', ['defaults'], 2)]),
    ...(espDevice === undefined || espPlace === null
      ? []
      : [entryLine(subject, espDevice, espPlace, ['umask=0077', 'nofail'], 0)]),
    ...(swapDevice === undefined
      ? []
      : [entryLine(subject, swapDevice, 'none', ['sw', 'nofail'], 0)]),
  ].filter((line) => line !== null);
  return { kind: 'lines', lines };
};
