import { mapBounded } from '../host/bounded.ts';
import type { SystemFiles } from './system-files.ts';

const info = '/var/lib/dpkg/info';
const atATime = 16;
/** The longest lists, of kernels and headers, have some megabytes. */
const maxBytes = 16 * 1024 * 1024;

/** The package that a file came with. */
export type DpkgOwner = {
  /** Name of its files in the info directory: `libc6:amd64`, `dash`. */
  readonly entry: string;
  readonly name: string;
  /** The file's path as the package has it, which may be the one before /usr was merged. */
  readonly path: string;
  /** Null for links and directories: dpkg keeps sums of files only. */
  readonly md5: string | null;
};

/** Before and after the merge of /usr a file has two names; the package knows one of them. */
export const pathAliases = (path: string): readonly string[] => {
  const inUsr = /^\/usr(\/(?:bin|sbin|lib|lib32|lib64|libx32)\/.*)$/.exec(path)?.[1];
  if (inUsr !== undefined) return [path, inUsr];
  return /^\/(?:bin|sbin|lib|lib32|lib64|libx32)\//.test(path) ? [path, `/usr${path}`] : [path];
};

/** `md5sums` files: the sum, two blanks, the path without its first slash. */
export const parseSums = (text: string): ReadonlyMap<string, string> =>
  new Map(
    text.split('\n').flatMap((line) => {
      const match = /^([0-9a-f]{32}) [ *](.+)$/.exec(line);
      return match?.[1] === undefined ? [] : [[`/${match[2] ?? ''}`, match[1]] as const];
    }),
  );

export const sumsOf = async (
  files: SystemFiles,
  entry: string,
): Promise<ReadonlyMap<string, string>> =>
  parseSums((await files.read(`${info}/${entry}.md5sums`, maxBytes)) ?? '');

/**
 * Finds the packages of files by their paths or, for libraries that are nowhere, by their names.
 *
 * @returns for each question that has an answer its owner.
 */
export const ownersOf = async (
  files: SystemFiles,
  wanted: readonly string[],
): Promise<ReadonlyMap<string, DpkgOwner>> => {
  const names = ((await files.list(info)) ?? []).filter((name) => name.endsWith('.list'));
  const owners = new Map<string, DpkgOwner>();
  const questions = wanted.map((want) => ({
    want,
    matches: want.includes('/')
      ? (line: string) => pathAliases(want).includes(line)
      : (line: string) => line.endsWith(`/${want}`) && /^\/(?:usr\/)?lib/.test(line),
  }));
  await mapBounded(names, atATime, async (name) => {
    const text = (await files.read(`${info}/${name}`, maxBytes)) ?? '';
    for (const { want, matches } of questions) {
      // Cheap first: most lists have nothing of it.
      if (!text.includes(want.slice(want.lastIndexOf('/')))) continue;
      const path = text.split('\n').find(matches);
      if (path === undefined) continue;
      const entry = name.slice(0, -'.list'.length);
      const md5 = (await sumsOf(files, entry)).get(path) ?? null;
      owners.set(want, { entry, name: entry.split(':')[0] ?? entry, path, md5 });
    }
  });
  return owners;
};
