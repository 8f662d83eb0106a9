import { moduleName } from './initramfs.ts';
import type { SystemFiles } from './system-files.ts';

/** Where the modules of a version are; null when there is no such directory. */
export const modulesDirectory = async (
  files: SystemFiles,
  version: string,
): Promise<string | null> => {
  const places = [`/lib/modules/${version}`, `/usr/lib/modules/${version}`];
  const there = await Promise.all(places.map((place) => files.isDirectory(place)));
  return places.find((_, index) => there[index] === true) ?? null;
};

/** Names of the modules that are built into the kernel itself; null when that cannot be told. */
export const builtinModules = async (
  files: SystemFiles,
  version: string,
): Promise<ReadonlySet<string> | null> => {
  const directory = await modulesDirectory(files, version);
  const text = directory === null ? null : await files.read(`${directory}/modules.builtin`);
  if (text === null || text.trim() === '') return null;
  return new Set(text.split('\n').flatMap((line) => moduleName(line.trim()) ?? []));
};
