/** A device-mapper device as the kernel names it. */
type Mapper = { readonly name: string; readonly uuid: string | null };

/** `LVM-` and two UUIDs without dashes: hidden volumes have a suffix, such as `-tpool`. */
const volumeUuid = /^LVM-[A-Za-z0-9]{64}$/;

/** Group and volume in a mapping's name: a dash of their own is doubled, the one between is not. */
const splitName = (name: string): readonly [string, string] | null => {
  const match = /^((?:[^-]|--)+)-((?:[^-]|--)+)$/.exec(name);
  if (match === null) return null;
  const [group, volume] = [match[1] ?? '', match[2] ?? ''].map((part) =>
    part.replaceAll('--', '-'),
  ) as [string, string];
  return [group, volume];
};

/**
 * The links that udev makes for a mapping (60-persistent-storage-dm.rules, 56-lvm.rules). Known
 * without udev too, because fstab of the rescued system may use any of them.
 */
export const mapperLinks = ({ name, uuid }: Mapper): readonly string[] => {
  const byId = [
    `/dev/disk/by-id/dm-name-${name}`,
    ...(uuid === null ? [] : [`/dev/disk/by-id/dm-uuid-${uuid}`]),
  ];
  const parts = uuid !== null && volumeUuid.test(uuid) ? splitName(name) : null;
  return parts === null ? byId : [...byId, `/dev/${parts.join('/')}`];
};
