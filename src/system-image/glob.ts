import type { SystemFiles } from './system-files.ts';

/** A sign of a pattern: what one character must be; null for any number of any characters. */
type Sign = ((character: string) => boolean) | null;

/** `[a-z]`, `[!a]` and `[]a]`, without the outer brackets. */
const fitsClass = (content: string): Sign => {
  const isNegated = /^[!^]/.test(content);
  const members = [...content.slice(isNegated ? 1 : 0).matchAll(/(.)-(.)|(.)/gsu)];
  return (character) =>
    isNegated !==
    members.some(([, low, high, one]) =>
      low === undefined || high === undefined
        ? character === one
        : low <= character && character <= high,
    );
};

/** A bracket that is never closed stands for itself, as in fnmatch(3). */
const signsOf = (glob: string): readonly Sign[] =>
  [...glob.matchAll(/\[([!^]?(?:\][^\]]*|[^\]]+))\]|./gsu)].map(([sign, content]): Sign => {
    if (content !== undefined) return fitsClass(content);
    if (sign === '*') return null;
    return sign === '?' ? () => true : (character) => character === sign;
  });

/** The last `*` alone is ever gone back to: a name and a pattern of a broken disk cost no more. */
const fitsSigns = (characters: readonly string[], signs: readonly Sign[]): boolean => {
  let [at, next] = [0, 0];
  let last: { readonly next: number; readonly at: number } | null = null;
  while (at < characters.length) {
    const sign = signs[next];
    if (sign === null) {
      last = { next: next + 1, at };
      next += 1;
    } else if (sign?.(characters[at] ?? '') === true) {
      at += 1;
      next += 1;
    } else if (last === null) {
      return false;
    } else {
      last = { next: last.next, at: last.at + 1 };
      ({ at, next } = last);
    }
  }
  return signs.slice(next).every((sign) => sign === null);
};

/** Bounds what a file of a broken disk can make us read. */
const maxMatches = 500;

/** Whether a name fits a pattern of glob(7) in one directory; hidden names need a literal dot. */
export const fitsGlob = (name: string, glob: string): boolean => {
  if (name.startsWith('.') && !glob.startsWith('.')) return false;
  if (name.length > 255 || glob.length > 255) return false;
  return fitsSigns([...name], signsOf(glob));
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
