import type { Files } from '../host/files.ts';
import { firstInside, isDirectoryInside, isFilledInside, listInside } from './inside.ts';
import type { SystemFacts } from './system-facts.ts';

type BootLoader = SystemFacts['bootLoaders'][number];

const espDirectories = ['/boot/efi', '/efi', '/boot'] as const;

/** FAT compares names without regard to case, and firmware and installers write it in both. */
const listFolded = async (
  files: Files,
  root: string,
  directory: string,
  name: string,
): Promise<readonly string[]> => {
  const entries = (await listInside(files, root, directory)) ?? [];
  const actual = entries.filter((entry) => entry.toLowerCase() === name.toLowerCase());
  const lists = await Promise.all(
    actual.map(async (entry) =>
      ((await listInside(files, root, `${directory}/${entry}`)) ?? []).map(
        (child) => `${directory}/${entry}/${child}`,
      ),
    ),
  );
  return lists.flat();
};

const vendorDirectories = async (files: Files, root: string): Promise<readonly string[]> =>
  (
    await Promise.all(espDirectories.map((directory) => listFolded(files, root, directory, 'EFI')))
  ).flat();

const grubIsInstalled = async (files: Files, root: string): Promise<boolean> => {
  const parts = ['grub', 'grub2'].flatMap((name) =>
    ['i386-pc', 'x86_64-efi', 'arm64-efi', 'i386-efi', 'powerpc-ieee1275', 'grubenv'].map(
      (part) => `/boot/${name}/${part}`,
    ),
  );
  const there = await firstInside(
    parts,
    async (path) =>
      (await isDirectoryInside(files, root, path)) || (await isFilledInside(files, root, path)),
  );
  return there !== null;
};

const findGrub = async (
  files: Files,
  root: string,
  vendors: readonly string[],
): Promise<readonly BootLoader[]> => {
  const filled = (path: string) => isFilledInside(files, root, path);
  const [config, stub, installed] = await Promise.all([
    firstInside(['/boot/grub/grub.cfg', '/boot/grub2/grub.cfg', '/boot/grub/menu.lst'], filled),
    firstInside(
      vendors.map((vendor) => `${vendor}/grub.cfg`),
      filled,
    ),
    grubIsInstalled(files, root),
  ]);
  // On the EFI system partition there may be only three lines that lead to the real one.
  const found = config ?? stub;
  return found !== null || installed ? [{ name: 'grub', config: found }] : [];
};

const findSystemdBoot = async (
  files: Files,
  root: string,
  vendors: readonly string[],
): Promise<readonly BootLoader[]> => {
  const directories = vendors.filter((vendor) => /\/systemd$/i.test(vendor));
  const programs = (
    await Promise.all(directories.map((directory) => listInside(files, root, directory)))
  ).flatMap((names) => names ?? []);
  if (!programs.some((name) => /^systemd-boot.*\.efi$/i.test(name))) return [];
  const config = await firstInside(
    espDirectories.map((directory) => `${directory}/loader/loader.conf`),
    (path) => isFilledInside(files, root, path),
  );
  return [{ name: 'systemd-boot', config }];
};

const byConfig = async (
  files: Files,
  root: string,
  name: BootLoader['name'],
  paths: readonly string[],
): Promise<readonly BootLoader[]> => {
  const config = await firstInside(paths, (path) => isFilledInside(files, root, path));
  return config === null ? [] : [{ name, config }];
};

/** The boot loaders whose files are below the root; a missing configuration is null, not absence. */
export const findBootLoaders = async (
  files: Files,
  root: string,
): Promise<readonly BootLoader[]> => {
  const vendors = await vendorDirectories(files, root);
  const found = await Promise.all([
    findGrub(files, root, vendors),
    findSystemdBoot(files, root, vendors),
    byConfig(files, root, 'extlinux', [
      '/boot/extlinux/extlinux.conf',
      '/boot/extlinux.conf',
      '/boot/syslinux/syslinux.cfg',
    ]),
    byConfig(files, root, 'u-boot', [
      '/boot/boot.scr',
      '/boot/firmware/boot.scr',
      '/boot/uEnv.txt',
    ]),
  ]);
  return found.flat();
};
