import path from 'node:path/posix';
import type { Files } from '../host/files.ts';

// by-uuid and by-label are left out: they follow what is written on the disks, and a clone has the
// same. These are named after the hardware or by the cloud's own rules.
const directories = [
  '/dev/disk/by-id',
  '/dev/disk/azure',
  '/dev/disk/azure/scsi0',
  '/dev/disk/azure/scsi1',
  '/dev/disk/azure/data/by-lun',
];

/** udev's links that name a device by its hardware, by kernel node. Empty without udev. */
export const readDiskLinks = async (
  files: Files,
): Promise<ReadonlyMap<string, readonly string[]>> => {
  const links = new Map<string, string[]>();
  const readDirectory = async (directory: string) => {
    const names = (await files.list(directory)) ?? [];
    const targets = await Promise.all(names.map((name) => files.readLink(`${directory}/${name}`)));
    return names.map((name, index) => ({ link: `${directory}/${name}`, to: targets[index] }));
  };
  for (const { link, to } of (await Promise.all(directories.map(readDirectory))).flat()) {
    if (to === null || to === undefined) continue;
    const node = path.resolve(path.dirname(link), to);
    links.set(node, [...(links.get(node) ?? []), link]);
  }
  return links;
};
