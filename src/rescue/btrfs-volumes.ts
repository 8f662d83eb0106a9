import { z } from 'zod';
import { type Device, nodeOf } from '../devices/device.ts';
import type { BtrfsVolume, Opening } from '../storage/layer.ts';

/** What the mount of a btrfs over several devices has to name. */
export const btrfsMountSchema = z.object({
  /** All devices that the kernel is to use. */
  devices: z.array(z.string()).readonly(),
  /** Other attached devices with the same UUIDs: copies, or what fell behind. */
  copies: z.array(z.string()).readonly(),
  /** One is missing. */
  degraded: z.boolean(),
});

export type BtrfsMount = Readonly<z.infer<typeof btrfsMountSchema>>;

/** The btrfs that were put together, or kept apart from a clone. */
export const volumesOf = (opened: readonly Opening[]): readonly BtrfsVolume[] =>
  opened.flatMap(({ volume }) => volume ?? []);

/** The one that is seen on a device. */
export const volumeOn = (volumes: readonly BtrfsVolume[], device: Device): BtrfsVolume | null => {
  const names = new Set([device.path, nodeOf(device)]);
  return volumes.find(({ shownOn }) => shownOn.some((node) => names.has(node))) ?? null;
};

/** Of a volume what its mount names; nothing for what needs no names. */
export const btrfsMount = (volume: BtrfsVolume | null): { readonly btrfs?: BtrfsMount } =>
  volume === null
    ? {}
    : {
        btrfs: { devices: volume.members, copies: volume.copies, degraded: volume.degraded },
      };
