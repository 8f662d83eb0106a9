import type { Subject } from '../subject.ts';

/** Types that fstab may name without a device of their own, or with a helper of their name. */
const alwaysKnown = new Set(
  `auto none swap bind ext2 ext3 ext4 xfs btrfs vfat msdos fat exfat ntfs ntfs3 ntfs-3g lowntfs-3g
   f2fs jfs reiserfs reiser4 nilfs2 hfs hfsplus ufs minix iso9660 udf squashfs erofs cramfs romfs
   bcachefs zfs apfs gfs2 ocfs2 tmpfs ramfs proc sysfs devpts devtmpfs overlay overlayfs aufs cgroup
   cgroup2 efivarfs debugfs tracefs securityfs configfs pstore mqueue hugetlbfs fuse fuseblk
   fusectl rpc_pipefs nfsd binfmt_misc bpf autofs nfs nfs4 cifs smb3 smbfs sshfs davfs ceph
   glusterfs 9p virtiofs vboxsf vmhgfs usbfs ecryptfs orangefs afs lustre beegfs`.split(/\s+/),
);

const kernelFiles = ['modules.alias', 'modules.builtin.modinfo'] as const;

/** File systems of the installed kernels: modules announce themselves with the alias `fs-TYPE`. */
const kernelTypes = async ({ files, facts }: Subject): Promise<readonly string[]> => {
  const paths = facts.kernels.flatMap(({ version }) =>
    kernelFiles.map((name) => `/lib/modules/${version}/${name}`),
  );
  const texts = await Promise.all(paths.map((path) => files.read(path, 8 * 1024 * 1024)));
  return texts.flatMap((text) =>
    [...(text ?? '').matchAll(/alias[ =]fs-([a-z0-9_-]+)/g)].map((match) => match[1] ?? ''),
  );
};

/**
 * Whether some kernel or helper program of the system may know a file system type. mount(8) runs
 * `/sbin/mount.TYPE` where there is one.
 */
export const isKnownType = async (subject: Subject, fsType: string): Promise<boolean> => {
  const [base = ''] = fsType.split('.', 1);
  if (alwaysKnown.has(fsType) || alwaysKnown.has(base)) return true;
  if ((await kernelTypes(subject)).includes(fsType)) return true;
  const helpers = ['/sbin', '/usr/sbin', '/usr/local/sbin', '/bin', '/usr/bin'].flatMap((place) => [
    `${place}/mount.${fsType}`,
    `${place}/${fsType}`,
  ]);
  const found = await Promise.all(helpers.map((path) => subject.files.entry(path)));
  return found.some((entry) => entry !== null);
};
