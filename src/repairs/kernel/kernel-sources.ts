import type { SystemFiles } from '../../system-image/system-files.ts';

const archives = '/var/cache/apt/archives';

/** Whether a package's name is that of the kernel of this version, signed or not. */
const isPackageOf = (name: string, version: string): boolean =>
  name.endsWith('.deb') &&
  ['linux-image-', 'linux-image-unsigned-', 'linux-modules-', 'linux-modules-extra-'].some(
    (prefix) => name.startsWith(`${prefix}${version}_`),
  );

/** Packages of a kernel that apt has kept, as paths of the system. */
export const cachedPackages = async (
  files: SystemFiles,
  version: string,
): Promise<readonly string[]> =>
  ((await files.list(archives)) ?? [])
    .filter((name) => isPackageOf(name, version))
    .map((name) => `${archives}/${name}`);

/** Versions of kernels that apt has kept packages of. */
export const cachedVersions = async (files: SystemFiles): Promise<readonly string[]> => [
  ...new Set(
    ((await files.list(archives)) ?? []).flatMap(
      (name) => /^linux-image-(?:unsigned-)?(\d[^_]*)_.*\.deb$/.exec(name)?.[1] ?? [],
    ),
  ),
];
