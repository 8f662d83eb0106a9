import type { SystemFiles } from './system-files.ts';

const places = [
  '/var/lib/dpkg/status',
  '/var/lib/dpkg/info',
  '/usr/lib/sysimage/rpm',
  '/var/lib/rpm',
  '/lib/apk/db',
  '/usr/lib/apk/db',
  '/var/lib/pacman',
] as const;

/** Whether it was installed from packages; a ramdisk's tree and a rescue image were not. */
export const hasPackageDatabase = async (files: SystemFiles): Promise<boolean> => {
  const found = await Promise.all(places.map((path) => files.status(path)));
  return found.some((status) => status !== null);
};
