import { expandGlob } from './glob.ts';
import type { SystemFiles } from './system-files.ts';

export const interfacesPath = '/etc/network/interfaces';

export type InterfacesFault = {
  readonly path: string;
  readonly line: number;
  readonly text: string;
  readonly reason: string;
};

type Named = { readonly name: string; readonly path: string; readonly line: number };

export type Interfaces = {
  /** Names in `iface` lines. */
  readonly defined: readonly (Named & { readonly method: string })[];
  /** Names in `auto` and `allow-…` lines. */
  readonly wanted: readonly Named[];
  /** Lines for which ifupdown reads none of the file. */
  readonly faults: readonly InterfacesFault[];
  /** Sourced files too, in their order. */
  readonly paths: readonly string[];
};

/** Methods of each address family (interfaces(5)). */
export const interfaceMethods: Readonly<Record<string, readonly string[]>> = {
  inet: ['loopback', 'static', 'manual', 'dhcp', 'bootp', 'tunnel', 'ppp', 'wvdial', 'ipv4ll'],
  inet6: ['auto', 'loopback', 'static', 'manual', 'dhcp', 'v4tunnel', '6to4'],
  ipx: ['static', 'dynamic'],
  can: ['static'],
};

type Statement = { readonly line: number; readonly text: string; readonly words: string[] };

/** A backslash at the end joins lines; `#` starts a comment only at the start of a line. */
const statements = (text: string): readonly Statement[] => {
  const found: Statement[] = [];
  let open: { readonly line: number; readonly text: string } | null = null;
  for (const [index, raw] of text.split('\n').entries()) {
    const line: number = open?.line ?? index + 1;
    const joined: string = `${open?.text ?? ''}${raw}`;
    if (open === null && /^\s*(?:#|$)/.test(raw)) continue;
    open = joined.endsWith('\\') ? { line, text: joined.slice(0, -1) } : null;
    const words = joined.trim().split(/\s+/);
    if (open === null && joined.trim() !== '') found.push({ line, text: joined.trim(), words });
  }
  return found;
};

const ifaceReason = ([, , family, method, ...rest]: readonly string[]): string | null => {
  if (family === 'inherits' || method === 'inherits' || rest.includes('inherits')) return null;
  const methods = Object.hasOwn(interfaceMethods, family ?? '')
    ? interfaceMethods[family ?? '']
    : undefined;
  if (methods === undefined) return `the address family "${family ?? ''}" is unknown or missing`;
  return methods.includes(method ?? '')
    ? null
    : `the method "${method ?? ''}" is unknown or missing`;
};

const own =
  /^(?:auto|allow-\S+|no-auto-down|no-scripts|rename|template|source|source-directory|source-dir)$/;

type Growing = {
  readonly defined: (Named & { readonly method: string })[];
  readonly wanted: Named[];
  readonly faults: InterfacesFault[];
  readonly paths: string[];
};

/** ifupdown's own limit is memory. */
const maxDepth = 8;

const sourced = async (files: SystemFiles, keyword: string, glob: string): Promise<string[]> => {
  if (keyword === 'source') return [...(await expandGlob(files, glob))];
  const directories = await expandGlob(files, glob);
  const lists = await Promise.all(directories.map((directory) => files.list(directory)));
  return directories.flatMap((directory, index) =>
    (lists[index] ?? [])
      .filter((name) => /^[a-zA-Z0-9_-]+$/.test(name))
      .map((name) => `${directory}/${name}`),
  );
};

const readFile = async (
  files: SystemFiles,
  name: string,
  all: Growing,
  depth: number,
): Promise<void> => {
  // One file may be named in several ways.
  const path = (await files.locate(name))?.path ?? name;
  const text = depth > maxDepth || all.paths.includes(path) ? null : await files.read(path);
  if (text === null) return;
  all.paths.push(path);
  let inStanza = false;
  for (const { line, text: content, words } of statements(text)) {
    const [keyword = '', ...rest] = words;
    const fault = (reason: string) => all.faults.push({ path, line, text: content, reason });
    if (keyword === 'iface' || keyword === 'mapping') {
      inStanza = true;
      const reason = keyword === 'iface' ? ifaceReason(words) : null;
      if (reason !== null) fault(reason);
      if (keyword === 'iface' && rest[0] !== undefined) {
        all.defined.push({ name: rest[0], path, line, method: rest[2] ?? '' });
      }
    } else if (own.test(keyword)) {
      inStanza = false;
      if (keyword === 'auto' || keyword.startsWith('allow-')) {
        all.wanted.push(...rest.map((name) => ({ name, path, line })));
      }
      if (!keyword.startsWith('source')) continue;
      for (const glob of rest) {
        const base = path.slice(0, path.lastIndexOf('/'));
        const absolute = glob.startsWith('/') ? glob : `${base}/${glob}`;
        for (const found of await sourced(files, keyword, absolute)) {
          await readFile(files, found, all, depth + 1);
        }
      }
    } else if (!inStanza) fault('an option stands outside of any iface');
    else if (rest.length === 0) fault('the option has no value');
  }
};

/** Reads interfaces(5) as Debian's ifupdown does, with the files that it names. */
export const readInterfaces = async (files: SystemFiles): Promise<Interfaces> => {
  const all: Growing = { defined: [], wanted: [], faults: [], paths: [] };
  await readFile(files, interfacesPath, all, 0);
  return all;
};
