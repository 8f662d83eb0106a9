const doubled = (name: string): string => name.replaceAll('-', '--');

/** Name under /dev/mapper: dashes of the names themselves are doubled (lvm(8)). */
export const mapperName = (group: string, volume: string): string =>
  `${doubled(group)}-${doubled(volume)}`;

/** Whether a mapping's name is that of a volume of this group, hidden ones included. */
export const isOfGroup = (mapping: string, group: string): boolean => {
  const start = `${doubled(group)}-`;
  return mapping.startsWith(start) && mapping[start.length] !== '-';
};

/** Identity in the kernel of a group's volumes: `LVM-` and the UUIDs without their dashes. */
export const mapperUuid = (groupUuid: string, volumeUuid = ''): string =>
  `LVM-${groupUuid.replaceAll('-', '')}${volumeUuid.replaceAll('-', '')}`;

/** All names by which the files of the system may call a volume. */
export const volumeNames = (
  group: { readonly name: string; readonly uuid: string },
  volume: { readonly name: string; readonly uuid: string },
): readonly string[] => {
  const mapper = mapperName(group.name, volume.name);
  return [
    `/dev/mapper/${mapper}`,
    `/dev/${group.name}/${volume.name}`,
    `/dev/disk/by-id/dm-name-${mapper}`,
    `/dev/disk/by-id/dm-uuid-${mapperUuid(group.uuid, volume.uuid)}`,
  ];
};

/** Longest name of a mapping (DM_NAME_LEN with the closing zero byte). */
const longest = 127;

/**
 * A name for the session alone, for a group whose own name is taken.
 *
 * @param isTaken says whether the kernel or this session uses a name for a group already.
 */
export const sessionGroupName = (
  group: string,
  volumes: readonly string[],
  session: string,
  isTaken: (name: string) => boolean,
): string => {
  const fits = (name: string) =>
    volumes.every((volume) => mapperName(name, volume).length + '_rimage_999'.length <= longest);
  const long = `${group}_rescuekit_${session}`;
  const base = fits(long) ? long : `rescuekit_${session}`;
  for (let number = 1; ; number++) {
    const name = number === 1 ? base : `${base}_${number}`;
    if (!isTaken(name)) return name;
  }
};
