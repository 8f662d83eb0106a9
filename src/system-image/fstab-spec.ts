import type { FstabEntry } from './system-facts.ts';

/** What the first field of an fstab line points to. */
export type FstabSpec =
  | { readonly kind: 'uuid' | 'label' | 'partuuid' | 'partlabel'; readonly value: string }
  /** A link under /dev/disk/by-id, or `ID=`: made of model and serial, the same on every host. */
  | { readonly kind: 'by-id'; readonly name: string }
  /** A link under /dev/disk/by-path: the slot of the machine on which it was written. */
  | { readonly kind: 'by-path'; readonly name: string }
  /** A node under /dev. */
  | { readonly kind: 'path'; readonly path: string }
  /** Another directory, or a file with an image or swap, of the system itself. */
  | { readonly kind: 'bind' | 'file'; readonly path: string }
  | { readonly kind: 'network' | 'pseudo' | 'unknown'; readonly text: string };

const networkTypes = new Set(
  `afs beegfs ceph cifs coda davfs davfs2 glusterfs gfs lustre moosefs ncp ncpfs nfs nfs4 ocfs2
   orangefs pvfs2 smb3 smbfs sshfs`.split(/\s+/),
);

const pseudoTypes = new Set(
  `9p aufs autofs binfmt_misc bpf cgroup cgroup2 configfs debugfs devfs devpts devtmpfs efivarfs
   fusectl hugetlbfs ignore mqueue none nsfs overlay proc pstore ramfs rootfs rpc_pipefs securityfs
   selinuxfs sysfs tmpfs tracefs unionfs usbdevfs usbfs virtiofs`.split(/\s+/),
);

const withoutFuse = (fsType: string): string => fsType.replace(/^fuse\./, '');

/** Whether the file system comes over the network: by type, `_netdev`, or the form of the spec. */
export const isNetworkFileSystem = (
  entry: Pick<FstabEntry, 'spec' | 'fsType' | 'options'>,
): boolean =>
  entry.fsType.split(',').some((type) => networkTypes.has(withoutFuse(type))) ||
  // An iSCSI disk with `_netdev` is a block device all the same.
  (entry.options.includes('_netdev') && !isDeviceText(entry.spec)) ||
  (entry.fsType === 'auto' && /^\/\/[^/]|^[\w.-]+:\//.test(entry.spec));

/** Whether the kernel makes the file system itself, without any device. */
export const isPseudo = (entry: Pick<FstabEntry, 'fsType' | 'options'>): boolean =>
  pseudoTypes.has(entry.fsType) && !isBindMount(entry);

/** Whether the entry shows a directory of the system in a second place. */
export const isBindMount = (entry: Pick<FstabEntry, 'options'>): boolean =>
  entry.options.some((option) => ['bind', 'rbind', 'x-systemd.bind'].includes(option));

const isDeviceText = (spec: string): boolean =>
  spec.startsWith('/dev/') || /^(?:UUID|LABEL|PARTUUID|PARTLABEL|ID)=/.test(spec);

const unquote = (text: string): string => /^(["'])(.*)\1$/s.exec(text)?.[2] ?? text;

/** udev writes characters that do not fit in a file name as `\x20`, byte by byte. */
const decodeUdev = (text: string): string => {
  const pieces = text
    .split(/(\\x[0-9a-fA-F]{2})/)
    .map((part) =>
      /^\\x[0-9a-fA-F]{2}$/.test(part) ? Buffer.from(part.slice(2), 'hex') : Buffer.from(part),
    );
  return Buffer.concat(pieces).toString('utf8');
};

const tagSpec = (spec: string): FstabSpec | null => {
  const [, name, raw] = /^(UUID|LABEL|PARTUUID|PARTLABEL|ID)=(.*)$/s.exec(spec) ?? [];
  const value = unquote(raw ?? '');
  switch (name) {
    case 'UUID':
      return { kind: 'uuid', value };
    case 'LABEL':
      return { kind: 'label', value };
    case 'PARTUUID':
      return { kind: 'partuuid', value };
    case 'PARTLABEL':
      return { kind: 'partlabel', value };
    case 'ID':
      return { kind: 'by-id', name: value };
    default:
      return null;
  }
};

const linkSpec = (spec: string): FstabSpec | null => {
  const [, kind, name = ''] =
    /^\/dev\/disk\/by-(uuid|label|partuuid|partlabel|id|path)\/(.+)$/s.exec(spec) ?? [];
  switch (kind) {
    case 'uuid':
    case 'label':
    case 'partuuid':
    case 'partlabel':
      return { kind, value: decodeUdev(name) };
    case 'id':
      return { kind: 'by-id', name };
    case 'path':
      return { kind: 'by-path', name };
    default:
      return null;
  }
};

const squeeze = (path: string): string => path.replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '');

/**
 * Says what an fstab spec points to. Type and options decide where the text alone does not: `/srv`
 * is a bind mount, a swap file or an image.
 */
export const parseSpec = (
  spec: string,
  entry: Pick<FstabEntry, 'fsType' | 'options'> = { fsType: 'auto', options: [] },
): FstabSpec => {
  if (isNetworkFileSystem({ ...entry, spec })) return { kind: 'network', text: spec };
  if (isPseudo(entry)) return { kind: 'pseudo', text: spec };
  const path = squeeze(unquote(spec));
  if (isBindMount(entry) && path.startsWith('/')) return { kind: 'bind', path };
  const device = tagSpec(spec) ?? linkSpec(path);
  if (device !== null) return device;
  if (path.startsWith('/dev/')) return { kind: 'path', path };
  return path.startsWith('/') ? { kind: 'file', path } : { kind: 'unknown', text: spec };
};
