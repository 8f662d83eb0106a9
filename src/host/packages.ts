import { RescueError } from './rescue-error.ts';

/** Package that brings a program, by distribution family. */
type PackageNames = {
  readonly debian: string;
  readonly fedora: string;
  readonly suse: string;
  readonly arch: string;
};

const same = (name: string): PackageNames => ({
  debian: name,
  fedora: name,
  suse: name,
  arch: name,
});
const utilLinux = same('util-linux');
const thinTools: PackageNames = {
  debian: 'thin-provisioning-tools',
  fedora: 'device-mapper-persistent-data',
  suse: 'thin-provisioning-tools',
  arch: 'thin-provisioning-tools',
};

const packagesByProgram: Readonly<Record<string, PackageNames>> = {
  blkid: utilLinux,
  blockdev: utilLinux,
  findmnt: utilLinux,
  losetup: { ...utilLinux, debian: 'mount' },
  lsblk: utilLinux,
  mount: { ...utilLinux, debian: 'mount' },
  umount: { ...utilLinux, debian: 'mount' },
  nsenter: utilLinux,
  addpart: utilLinux,
  partx: utilLinux,
  sfdisk: { ...utilLinux, debian: 'fdisk' },
  udevadm: { debian: 'udev', fedora: 'systemd-udev', suse: 'udev', arch: 'systemd' },
  cryptsetup: { ...same('cryptsetup'), debian: 'cryptsetup-bin' },
  dmsetup: {
    debian: 'dmsetup',
    fedora: 'device-mapper',
    suse: 'device-mapper',
    arch: 'device-mapper',
  },
  mdadm: same('mdadm'),
  openssl: same('openssl'),
  unshare: utilLinux,
  lvm: same('lvm2'),
  thin_check: thinTools,
  cache_check: thinTools,
  e2fsck: same('e2fsprogs'),
  e2image: same('e2fsprogs'),
  e2undo: same('e2fsprogs'),
  dumpe2fs: same('e2fsprogs'),
  debugfs: same('e2fsprogs'),
  xfs_repair: same('xfsprogs'),
  xfs_metadump: same('xfsprogs'),
  xfs_mdrestore: same('xfsprogs'),
  xfs_logprint: same('xfsprogs'),
  btrfs: { debian: 'btrfs-progs', fedora: 'btrfs-progs', suse: 'btrfsprogs', arch: 'btrfs-progs' },
  btrfstune: {
    debian: 'btrfs-progs',
    fedora: 'btrfs-progs',
    suse: 'btrfsprogs',
    arch: 'btrfs-progs',
  },
  'fsck.fat': same('dosfstools'),
  'systemd-nspawn': {
    debian: 'systemd-container',
    fedora: 'systemd-container',
    suse: 'systemd-container',
    arch: 'systemd',
  },
  journalctl: same('systemd'),
  cpio: same('cpio'),
  zstd: same('zstd'),
  xz: { debian: 'xz-utils', fedora: 'xz', suse: 'xz', arch: 'xz' },
  'qemu-system-x86_64': {
    debian: 'qemu-system-x86',
    fedora: 'qemu-system-x86-core',
    suse: 'qemu-x86',
    arch: 'qemu-system-x86',
  },
  'qemu-img': { debian: 'qemu-utils', fedora: 'qemu-img', suse: 'qemu-img', arch: 'qemu-img' },
};

/** Packages that bring files rather than programs, by their name in Debian. */
const packagesOfFiles: Readonly<Record<string, PackageNames>> = {
  ovmf: { debian: 'ovmf', fedora: 'edk2-ovmf', suse: 'qemu-ovmf-x86_64', arch: 'edk2-ovmf' },
};

type Family = keyof PackageNames;

const installers: Readonly<Record<Family, string>> = {
  debian: 'apt-get install',
  fedora: 'dnf install',
  suse: 'zypper install',
  arch: 'pacman -S',
};

/** The package manager family from the rescue host's own os-release text (`ID` and `ID_LIKE`). */
export const packageFamily = (osRelease: string): Family => {
  const ids = [...osRelease.matchAll(/^ID(?:_LIKE)?=(.*)$/gm)].flatMap((match) =>
    (match[1] ?? '').replaceAll(/["']/g, '').split(/\s+/),
  );
  if (ids.some((id) => ['fedora', 'rhel', 'centos', 'amzn'].includes(id))) return 'fedora';
  if (ids.some((id) => ['suse', 'opensuse', 'sles'].includes(id))) return 'suse';
  return ids.includes('arch') ? 'arch' : 'debian';
};

/** The error for a program that is not installed, naming the package on this distribution. */
export const missingProgram = (
  program: string,
  osRelease: string,
  cause?: unknown,
): RescueError => {
  const family = packageFamily(osRelease);
  const name = packagesByProgram[program]?.[family];
  return new RescueError({
    code: 'MISSING_PROGRAM',
    message: `The program ${program} is not installed on this machine.`,
    hint: name
      ? `Install it with: ${installers[family]} ${name}`
      : `Install the package that brings ${program}.`,
    cause,
  });
};

/** The error for files that are not installed, naming their package on this distribution. */
export const missingFiles = (what: string, debianName: string, osRelease: string): RescueError => {
  const family = packageFamily(osRelease);
  return new RescueError({
    code: 'MISSING_FILES',
    message: `The ${what} is not installed on this machine.`,
    hint: `Install it with: ${installers[family]} ${packagesOfFiles[debianName]?.[family] ?? debianName}`,
  });
};
