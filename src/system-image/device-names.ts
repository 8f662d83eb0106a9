/** A kernel name of an earlier boot taken apart: `/dev/sda2` is disk `sda`, partition 2. */
export type KernelName = {
  readonly disk: string;
  /** Null for the whole disk. */
  readonly partition: number | null;
  /** Whether it is the first disk of its kind: `sda`, `vda`, `nvme0n1`, `mmcblk0`. */
  readonly first: boolean;
};

// Names that end in a digit put a `p` before the partition's number (block/partitions/core.c).
const digitNames =
  /^(nvme\d+n\d+|mmcblk\d+|nbd\d+|loop\d+|md\d+|ram\d+|cciss\/c\d+d\d+)(?:p(\d+))?$/;
const letterNames = /^((?:sd|hd|vd|xvd|ubd|dasd)[a-z]+)(\d+)?$/;

const isFirst = (disk: string): boolean =>
  /^(?:(?:sd|hd|vd|xvd|ubd|dasd)a|nvme0n1|mmcblk0|nbd0|cciss\/c0d0)$/.test(disk);

/** Takes a kernel name under /dev apart; null when it is no disk or partition name. */
export const parseKernelName = (path: string): KernelName | null => {
  const name = path.replace(/^\/dev\//, '');
  const [, disk, partition] = digitNames.exec(name) ?? letterNames.exec(name) ?? [];
  if (disk === undefined) return null;
  return {
    disk,
    partition: partition === undefined ? null : Number(partition),
    first: isFirst(disk),
  };
};

/** A logical volume's two names. */
export type VolumeName = { readonly group: string; readonly volume: string };

/** Device-mapper joins group and volume with one dash and doubles those inside the names. */
const parseMapperName = (name: string): VolumeName | null => {
  const [, group, volume] = /^((?:[^-]|--)+)-((?:[^-]|--)+)$/.exec(name) ?? [];
  if (group === undefined || volume === undefined) return null;
  return { group: group.replaceAll('--', '-'), volume: volume.replaceAll('--', '-') };
};

const notGroups = new Set(['mapper', 'disk', 'md', 'block', 'cciss', 'shm', 'pts', 'loop']);

/** Group and volume of `/dev/mapper/vg-lv` or `/dev/vg/lv`; null for any other path. */
export const parseVolumeName = (path: string): VolumeName | null => {
  const mapper = /^\/dev\/mapper\/([^/]+)$/.exec(path)?.[1];
  if (mapper !== undefined) return parseMapperName(mapper);
  const [, group, volume] = /^\/dev\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
  if (group === undefined || volume === undefined || notGroups.has(group)) return null;
  return { group, volume };
};

/** Whether it is a name of an md array: `/dev/md0`, `/dev/md/root`, `/dev/md127p1`. */
export const isArrayName = (path: string): boolean => /^\/dev\/md(?:\d+|_|\/)/.test(path);
