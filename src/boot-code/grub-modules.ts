import type { SystemFiles } from '../system-image/system-files.ts';

/** What GRUB has to load before it can show a menu and start Linux. */
const needed = ['normal', 'linux', 'boot', 'search', 'search_fs_uuid', 'test', 'echo'] as const;

/** `normal: terminal crypto …` for each module. */
const parseDependencies = (text: string): ReadonlyMap<string, readonly string[]> =>
  new Map(
    text.split('\n').flatMap((line) => {
      const [, name, rest = ''] = /^(\w+):(.*)$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, rest.split(/\s+/).filter((word) => word !== '')]];
    }),
  );

/** Modules with all that they need. */
export const withDependencies = (
  modules: readonly string[],
  dependencies: ReadonlyMap<string, readonly string[]>,
): readonly string[] => {
  const all = new Set<string>();
  const todo = [...modules];
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (all.has(name)) continue;
    all.add(name);
    todo.push(...(dependencies.get(name) ?? []));
  }
  return [...all];
};

/**
 * Files that are missing or empty in a directory of GRUB's modules, without which it ends in
 * "grub rescue>".
 *
 * @param directory path of the system: `/boot/grub/i386-pc`.
 */
export const missingGrubModules = async (
  files: SystemFiles,
  directory: string,
): Promise<readonly string[]> => {
  const list = await files.read(`${directory}/moddep.lst`);
  if (list === null || list.trim() === '') return ['moddep.lst'];
  const names = withDependencies(needed, parseDependencies(list)).map((name) => `${name}.mod`);
  const filled = await Promise.all(names.map((name) => files.isFilled(`${directory}/${name}`)));
  return names.filter((_, index) => filled[index] !== true).sort();
};
