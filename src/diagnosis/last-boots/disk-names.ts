import { plainText } from '../../host/plain-text.ts';
import type { Subject } from '../subject.ts';
import { withoutStamp } from './kernel-trouble.ts';

/** `sda` for `sda1`, `nvme0n1` for `nvme0n1p2`; mappings and arrays stay as they are. */
export const diskOf = (name: string): string =>
  /^((?:nvme\d+n\d+|mmcblk\d+))(?:p\d+)?$/.exec(name)?.[1] ??
  /^((?:sd|vd|xvd|hd)[a-z]+)\d*$/.exec(name)?.[1] ??
  name;

/** The disk that a line about a read or write is about; null when it names none, as those of ATA. */
export const diskIn = (message: string): string | null => {
  const name =
    /\bdev(?:ice)? \(?([a-z][\w-]*)/.exec(message)?.[1] ?? /\[([a-z]+)\]/.exec(message)?.[1];
  return name === undefined ? null : diskOf(name);
};

/** File systems that were mounted, with their UUID where the kernel says it (ext4 since 6.3). */
const mountLine =
  /^(?:EXT4-fs|XFS) \((\S+?)\): (?:mounted filesystem|Mounting V\d Filesystem) ([0-9a-fA-F-]{36})/;
const btrfsLine = /^BTRFS: device (?:label .* |fsid ([0-9a-fA-F-]{36}) ).*\/dev\/(\S+)/;
const rootLine = /^(?:Kernel command line|Command line): .*\broot=\/dev\/([a-z]\S*)/;
/** A disk that the kernel found; what can be taken out at any time is none. */
const diskLines = [
  /^sd \S+ \[(sd[a-z]+)\] Attached SCSI disk$/,
  /^virtio_blk \S+ \[(vd[a-z]+)\] /,
  /^nvme (nvme\d+): .*queues$/,
  /^((?:sd|vd|xvd)[a-z]+|nvme\d+n\d+|mmcblk\d+):(?: \S+)+$/,
];

const diskFound = (line: string): string | null => {
  for (const pattern of diskLines) {
    const name = pattern.exec(line)?.[1];
    if (name !== undefined) return /^nvme\d+$/.test(name) ? `${name}n1` : name;
  }
  return null;
};

/** UUIDs of the file systems that the system's mounts are on. */
const ownIds = ({ mounts, devices }: Subject): ReadonlySet<string> => {
  const ids = [
    devices?.root.uuid ?? '',
    ...mounts.flatMap(({ state, spec }) =>
      state === 'mount' ? [/^UUID="?([^"]+)"?$/.exec(spec)?.[1] ?? ''] : [],
    ),
  ];
  return new Set(ids.filter((id) => id !== '').map((id) => id.toLowerCase()));
};

/**
 * The disks of one boot that the system's own mounts stood on for certain: the kernel said which
 * file system it mounted from there, the root was named by that disk, or there was no other disk.
 * The names are of that boot only: another start may give them otherwise.
 *
 * @param messages the kernel's lines of one boot.
 */
export const ownDisksOf = (subject: Subject, messages: readonly string[]): ReadonlySet<string> => {
  const ids = ownIds(subject);
  const own = new Set<string>();
  const all = new Set<string>();
  for (const line of messages.map((message) => plainText(withoutStamp(message)))) {
    const [, node, uuid = ''] = mountLine.exec(line) ?? [];
    const [, fsid = '', member] = btrfsLine.exec(line) ?? [];
    const root = rootLine.exec(line)?.[1];
    if (node !== undefined && ids.has(uuid.toLowerCase())) own.add(diskOf(node));
    if (member !== undefined && ids.has(fsid.toLowerCase()))
      own.add(diskOf(member.split(' ')[0] ?? ''));
    if (root !== undefined && !root.includes('/')) own.add(diskOf(root));
    const disk = diskFound(line);
    if (disk !== null) all.add(disk);
  }
  // Where the beginning is lost, other disks may have been told of there.
  const isWhole = messages.some((message) => /^Linux version /.test(withoutStamp(message)));
  return isWhole && all.size === 1 ? new Set([...own, ...all]) : own;
};
