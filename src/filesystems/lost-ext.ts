import type { Device } from '../devices/device.ts';
import type { Host } from '../host/host.ts';
import { findBackups } from './ext-superblock.ts';

/** Smaller than this an ext file system has no second block group, and so no backup. */
const smallestBytes = 8 * 1024 * 1024;

/** A place where a file system could have been and nothing is known to be. */
const isBlank = (device: Device): boolean =>
  device.fsType === null &&
  device.partitionTable === null &&
  device.children.length === 0 &&
  device.kind !== 'rom' &&
  device.sizeBytes >= smallestBytes;

/**
 * Whether an ext file system whose first superblock is gone can still be found by its backups. For
 * blkid, and so for everything else here, such a device is empty.
 */
export const isLostExt = async (host: Host, device: Device): Promise<boolean> => {
  const { path } = device;
  if (path === null || !isBlank(device)) return false;
  return (await findBackups({ host, device: path })).length > 0;
};
