import type { LvmGroup, LvmLv } from './report.ts';

/** Volumes that a person can use, without those that carry the flag to stay closed. */
export const usableVolumes = (group: LvmGroup): readonly LvmLv[] =>
  group.lvs.filter(({ hidden, roles, skipped }) => !hidden && roles.includes('public') && !skipped);

/** The kernel writes nothing of its own for these. */
const quietLayouts = new Set(['linear', 'striped']);

/**
 * Whether the kernel writes to the physical volumes when the group is activated, also with volumes
 * that are read-only: transaction ids of pools, superblocks of raid images, exception tables of
 * snapshots, dirty flags of caches.
 */
export const writesWhenActive = (group: LvmGroup): boolean =>
  group.lvs.some(
    ({ layout, roles }) =>
      layout.some((word) => !quietLayouts.has(word)) || roles.includes('thicksnapshot'),
  );

/** Programs without which LVM activates such a group unchecked or not at all. */
export const checkersOf = (group: LvmGroup): readonly string[] => {
  const layouts = new Set(group.lvs.flatMap(({ layout }) => layout));
  return [
    ...(layouts.has('thin') ? ['thin_check'] : []),
    ...(layouts.has('cache') ? ['cache_check'] : []),
  ];
};

/** Images that may be missing, of a raid volume with so many images (lvmraid(7)). */
const tolerance = (layout: readonly string[], images: number): number => {
  if (layout.includes('raid1') || layout.includes('mirror')) return images - 1;
  if (layout.includes('raid6')) return 2;
  if (layout.some((word) => /^raid(4|5|10)/.test(word))) return 1;
  return 0;
};

const partsOf = (group: LvmGroup, volume: LvmLv): readonly LvmLv[] => {
  const named = new Set([volume.pool, volume.origin]);
  return group.lvs.filter(({ name, parent }) => parent === volume.name || named.has(name));
};

/** Whether a volume can be used without the missing physical volumes, with all its data. */
export const canDoWithout = (group: LvmGroup, volume: LvmLv): boolean => {
  if (!volume.partial) return true;
  const parts = partsOf(group, volume);
  if (volume.layout.some((word) => /^(raid|mirror$)/.test(word))) {
    const images = parts.filter(({ roles }) => roles.includes('image'));
    const missing = images.filter((image) => !canDoWithout(group, image)).length;
    return missing <= tolerance(volume.layout, images.length);
  }
  return parts.length > 0 && parts.every((part) => canDoWithout(group, part));
};
