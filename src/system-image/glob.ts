import type { SystemFiles } from './system-files.ts';

const pattern = (glob: string): RegExp =>
  new RegExp(
    `^${glob
      .replace(/[.+^${}()|\\]/g, '\\$&')
      .replace(/\*/g, '.*')
      .replace(/\?/g, '.')}$`,
  );

/** Bounds what a file of a broken disk can make us read. */
const maxMatches = 500;

/** Whether a name fits a pattern of glob(7) in one directory; hidden names need a literal dot. */
export const fitsGlob = (name: string, glob: string): boolean => {
  if (name.startsWith('.') && !glob.startsWith('.')) return false;
  if (name.length > 255 || glob.length > 255) return false;
  try {
    return pattern(glob).test(name);
  } catch {
    // An open bracket is no pattern: glob(7) then takes it as it is.
    return name === glob;
  }
};

const expandPart = async (
  files: SystemFiles,
  directory: string,
  part: string,
): Promise<readonly string[]> => {
  if (!/[*?[]/.test(part)) return [`${directory}/${part}`];
  const names = (await files.list(directory === '' ? '/' : directory)) ?? [];
  return names.filter((name) => fitsGlob(name, part)).map((name) => `${directory}/${name}`);
};

/**
 * The files of a system that fit an absolute pattern, sorted. A path without pattern signs is given
 * back as it is, whether it exists or not.
 */
export const expandGlob = async (files: SystemFiles, glob: string): Promise<readonly string[]> => {
  let paths: readonly string[] = [''];
  for (const part of glob.split('/').filter((name) => name !== '')) {
    const lists = await Promise.all(paths.map((path) => expandPart(files, path, part)));
    paths = lists.flat().slice(0, maxMatches);
  }
  return paths;
};
