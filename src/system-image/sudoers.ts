import { fitsGlob } from './glob.ts';
import type { SystemFiles } from './system-files.ts';

export const sudoersPath = '/etc/sudoers';

export type SudoersLine = {
  /** From 1, where it begins. */
  readonly line: number;
  readonly text: string;
};

/** Lines with something on them; a backslash at the end joins a line with the next. */
export const parseSudoers = (text: string): readonly SudoersLine[] => {
  const lines: SudoersLine[] = [];
  let open = '';
  let first = 1;
  for (const [index, raw] of text.split('\n').entries()) {
    if (open === '') first = index + 1;
    const joined = `${open}${raw}`;
    open = joined.endsWith('\\') ? joined.slice(0, -1) : '';
    if (open === '' && joined.trim() !== '') lines.push({ line: first, text: joined });
  }
  return lines;
};

/** `#include` is no comment, and neither is `#1000 ALL=…`, a user by number. */
const isComment = (text: string): boolean => /^\s*#(?!include|\d)/.test(text);

/**
 * Why sudo cannot read a line; null for all that is right, and for all that only its own parser can
 * judge (sudoers(5) has a grammar of its own).
 */
export const sudoersFault = ({ text }: SudoersLine): string | null => {
  const content = text.trim();
  if (isComment(content)) return null;
  if (/^[@#]include(?:dir)?\s+\S/.test(content) || /^Defaults(?:[@:!>\s]|$)/.test(content)) {
    return (content.match(/"/g) ?? []).length % 2 === 0 ? null : 'a quotation mark is open';
  }
  if (/^(?:User|Runas|Host|Cmnd|Cmd)_Alias\s/.test(content)) {
    return content.includes('=') ? null : 'the alias has no "="';
  }
  if (!content.includes('=')) return 'there is no "=": who may do what is not said';
  return /=\s*(?:\([^)]*\)\s*)?$/.test(content) ? 'no command stands after the "="' : null;
};

/** Directories and files that a sudoers file includes, in their order. */
const includesOf = (text: string): readonly { readonly path: string; readonly dir: boolean }[] =>
  parseSudoers(text).flatMap(({ text: line }) => {
    const [, dir, path] = /^\s*[@#]include(dir)?\s+"?([^\s"]+)/.exec(line) ?? [];
    if (path === undefined) return [];
    const absolute = path.startsWith('/') ? path : `/etc/${path}`;
    return [{ path: absolute, dir: dir !== undefined }];
  });

/** sudo refuses deeper nesting. */
const maxDepth = 16;

/**
 * The files that sudo reads: sudoers and what it includes. In a directory those with a dot or a `~`
 * at the end are left out.
 */
export const sudoersFiles = async (
  files: SystemFiles,
  path: string = sudoersPath,
  depth = 0,
): Promise<readonly string[]> => {
  const text = depth > maxDepth ? null : await files.read(path);
  if (text === null) return depth === 0 ? [] : [path];
  const nested: string[] = [];
  for (const include of includesOf(text)) {
    if (!include.dir) {
      nested.push(...(await sudoersFiles(files, include.path, depth + 1)));
      continue;
    }
    const names = (await files.list(include.path)) ?? [];
    for (const name of names.filter((each) => fitsGlob(each, '*'))) {
      if (name.includes('.') || name.endsWith('~')) continue;
      nested.push(...(await sudoersFiles(files, `${include.path}/${name}`, depth + 1)));
    }
  }
  return [...new Set([path, ...nested])];
};
