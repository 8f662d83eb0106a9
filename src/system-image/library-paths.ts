import type { SystemFiles } from './system-files.ts';

/** Includes may include: ldconfig has no limit, a loop on a damaged disk needs one. */
const deepest = 4;

const directoryOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';

const toPattern = (name: string): RegExp =>
  new RegExp(
    `^${name
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );

const expandInclude = async (files: SystemFiles, pattern: string): Promise<readonly string[]> => {
  const directory = directoryOf(pattern);
  const name = pattern.slice(pattern.lastIndexOf('/') + 1);
  const names = (await files.list(directory)) ?? [];
  return names.filter((one) => toPattern(name).test(one)).map((one) => `${directory}/${one}`);
};

/** Directories of ld.so.conf with everything that it includes, in their order (ldconfig(8)). */
const configured = async (
  files: SystemFiles,
  path: string,
  depth: number,
): Promise<readonly string[]> => {
  const lines = ((await files.read(path, 64 * 1024)) ?? '').split('\n').slice(0, 256);
  const parts = await Promise.all(
    lines.map(async (raw) => {
      const line = (raw.split('#')[0] ?? '').trim();
      const include = /^include\s+(\S+)$/.exec(line)?.[1];
      if (include === undefined) return line.startsWith('/') ? [line.split(/[\s=]/)[0] ?? ''] : [];
      if (depth >= deepest) return [];
      const pattern = include.startsWith('/') ? include : `${directoryOf(path)}/${include}`;
      const found = await expandInclude(files, pattern);
      return (await Promise.all(found.map((one) => configured(files, one, depth + 1)))).flat();
    }),
  );
  return parts.flat();
};

/** Debian's directories for each architecture: they are built into its loader. */
const multiarch = async (files: SystemFiles): Promise<readonly string[]> => {
  const lists = await Promise.all(
    ['/lib', '/usr/lib'].map(async (top) =>
      ((await files.list(top)) ?? [])
        .filter((name) => /^[a-z0-9_]+-linux-[a-z0-9]+$/.test(name))
        .map((name) => `${top}/${name}`),
    ),
  );
  return lists.flat();
};

/** musl's own list, one file for each architecture. */
const muslPaths = async (files: SystemFiles): Promise<readonly string[]> => {
  const names = ((await files.list('/etc')) ?? []).filter((name) =>
    /^ld-musl-.*\.path$/.test(name),
  );
  const texts = await Promise.all(names.map((name) => files.read(`/etc/${name}`, 64 * 1024)));
  return texts
    .flatMap((text) => (text ?? '').split(/[\n:]/))
    .filter((path) => path.startsWith('/'));
};

/**
 * Where the dynamic loader of the system looks for libraries. More than one loader's list is in it
 * (glibc's of several distributions, musl's): what is for another machine is passed over by its
 * header, and a library that any of them finds is not missing.
 */
export const libraryDirectories = async (files: SystemFiles): Promise<readonly string[]> => {
  const parts = await Promise.all([
    configured(files, '/etc/ld.so.conf', 0),
    multiarch(files),
    muslPaths(files),
  ]);
  const fixed = ['/lib64', '/usr/lib64', '/lib', '/usr/lib', '/usr/local/lib', '/lib32'];
  return [...new Set([...parts.flat(), ...fixed])];
};

/** Paths in the loader's cache by the library's name: hardware-dependent variants are only there. */
export const cachedLibraries = async (
  files: SystemFiles,
): Promise<ReadonlyMap<string, readonly string[]>> => {
  const bytes = await files.bytes('/etc/ld.so.cache', 4 * 1024 * 1024);
  const byName = new Map<string, string[]>();
  for (const text of (bytes?.toString('latin1') ?? '').split('\0')) {
    if (!text.startsWith('/') || text.length > 4096) continue;
    const name = text.slice(text.lastIndexOf('/') + 1);
    byName.set(name, [...(byName.get(name) ?? []), text]);
  }
  return byName;
};
