import type { SystemFiles } from './system-files.ts';

/** One line of a file in /etc/pam.d (pam.d(5)). */
export type PamLine = {
  readonly path: string;
  /** From 1, where it begins. */
  readonly line: number;
  readonly text: string;
} & (
  | {
      readonly kind: 'module';
      readonly type: string;
      readonly control: string;
      readonly module: string;
    }
  /** `@include FILE`, and the controls `include` and `substack`. */
  | { readonly kind: 'include'; readonly type: string | null; readonly file: string }
  | { readonly kind: 'unreadable' }
);

const parseLine = (path: string, line: number, text: string): PamLine | null => {
  const content = text.replace(/(^|\s)#.*$/, '').trim();
  if (content === '') return null;
  const included = /^@include\s+(\S+)$/.exec(content)?.[1];
  if (included !== undefined) {
    return { kind: 'include', path, line, text, type: null, file: included };
  }
  const [, type, control, module] = /^(\S+)\s+(\[[^\]]*\]|\S+)\s+(\S+)/.exec(content) ?? [];
  if (type === undefined || control === undefined || module === undefined) {
    return { kind: 'unreadable', path, line, text };
  }
  if (control === 'include' || control === 'substack') {
    return { kind: 'include', path, line, text, type, file: module };
  }
  return { kind: 'module', path, line, text, type, control, module };
};

/** A backslash at the end of a line joins it with the next. */
export const parsePam = (path: string, text: string): readonly PamLine[] => {
  const lines: PamLine[] = [];
  let open: { readonly line: number; readonly text: string } | null = null;
  for (const [index, raw] of text.split('\n').entries()) {
    const line: number = open?.line ?? index + 1;
    const joined: string = `${open?.text ?? ''}${raw.replace(/\r$/, '')}`;
    open = joined.endsWith('\\') ? { line, text: `${joined.slice(0, -1)} ` } : null;
    const parsed = open === null ? parseLine(path, line, joined) : null;
    if (parsed !== null) lines.push(parsed);
  }
  return lines;
};

/** Where services' files are: the administrator's, then the vendor's. */
const directories = ['/etc/pam.d', '/usr/lib/pam.d', '/usr/etc/pam.d'];

/** Path of a service's file; null when there is none. */
export const findPamFile = async (files: SystemFiles, name: string): Promise<string | null> => {
  const candidates = name.startsWith('/')
    ? [name]
    : directories.map((directory) => `${directory}/${name}`);
  const there = await Promise.all(
    candidates.map(async (path) => (await files.status(path))?.kind === 'file'),
  );
  return candidates.find((_, index) => there[index]) ?? null;
};

/** All directories in which this system keeps PAM modules; empty when it has no PAM. */
export const pamModuleDirectories = async (files: SystemFiles): Promise<readonly string[]> => {
  const libraries = ['/lib', '/usr/lib', '/lib64', '/usr/lib64', '/usr/local/lib'];
  const nested = await Promise.all(
    ['/lib', '/usr/lib'].map(async (library) =>
      ((await files.list(library)) ?? [])
        .filter((name) => name.includes('-linux-'))
        .map((name) => `${library}/${name}`),
    ),
  );
  const all = [...libraries, ...nested.flat()].map((library) => `${library}/security`);
  const found = await Promise.all(all.map((path) => files.list(path)));
  return all.filter((_, index) => found[index]?.some((name) => /^pam_.*\.so$/.test(name)));
};

/** Whether the module that a line names is on the disk and not empty. */
export const hasPamModule = async (
  files: SystemFiles,
  places: readonly string[],
  module: string,
): Promise<boolean> => {
  // `$ISA` is the library directory of the architecture; the file's name decides.
  const name = module.includes('$ISA') ? (module.split('/').at(-1) ?? module) : module;
  const candidates = name.startsWith('/') ? [name] : places.map((place) => `${place}/${name}`);
  const found = await Promise.all(candidates.map((path) => files.isFilled(path)));
  return found.includes(true);
};
