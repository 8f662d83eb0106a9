import type { Files } from '../host/files.ts';
import { plainText } from '../host/plain-text.ts';
import { readInside } from './inside.ts';
import type { SystemFacts } from './system-facts.ts';

type Os = SystemFacts['os'];

const unknownDistribution = 'Linux (unknown distribution)';

// os-release(5): inside double quotes a backslash is special before these four only.
const unquoteDouble = (text: string): string => text.replace(/\\([\\"$`])/g, '$1');

const assignedValue = (raw: string): string => {
  const text = raw.trim();
  const double = /^"((?:[^"\\]|\\.)*)"/.exec(text);
  if (double !== null) return unquoteDouble(double[1] ?? '');
  const single = /^'([^']*)'/.exec(text);
  if (single !== null) return single[1] ?? '';
  return text.replace(/\\(.)/g, '$1');
};

/**
 * Reads the assignments of an os-release file without running it as shell (os-release(5)). The
 * last assignment of a name wins, lines that are none are passed over.
 */
export const parseOsRelease = (text: string): ReadonlyMap<string, string> => {
  const values = new Map<string, string>();
  for (const line of text.replace(/^\ufeff/, '').split(/\r\n|[\r\n]/)) {
    const match = /^\s*([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line);
    if (match !== null) values.set(match[1] ?? '', plainText(assignedValue(match[2] ?? '')));
  }
  return values;
};

/** The operating system that an os-release text names; `prettyName` is never empty. */
export const osFromRelease = (text: string): Os => {
  const values = parseOsRelease(text);
  const value = (name: string): string | null => values.get(name) || null;
  const name = value('NAME');
  const version = value('VERSION') ?? value('VERSION_ID');
  const composed = name === null ? null : [name, version].filter((part) => part !== null).join(' ');
  return {
    id: value('ID')?.toLowerCase() ?? null,
    versionId: value('VERSION_ID'),
    prettyName: value('PRETTY_NAME') ?? composed ?? value('ID') ?? unknownDistribution,
  };
};

type Legacy = {
  readonly path: string;
  readonly parse: (line: string) => Os;
};

const versionIn = (line: string): string | null => /\d+(?:\.\d+)*/.exec(line)?.[0] ?? null;

const redHat = (line: string): Os => {
  const ids: readonly (readonly [RegExp, string])[] = [
    [/centos/i, 'centos'],
    [/fedora/i, 'fedora'],
    [/oracle/i, 'ol'],
    [/red hat enterprise/i, 'rhel'],
  ];
  const id = ids.find(([pattern]) => pattern.test(line))?.[1] ?? null;
  return { id, versionId: versionIn(line), prettyName: line };
};

// Systems from before os-release (2012) have one of these one-line files. centos-release and
// oracle-release come before redhat-release, which those distributions have too.
const legacyFiles: readonly Legacy[] = [
  { path: '/etc/oracle-release', parse: redHat },
  { path: '/etc/centos-release', parse: redHat },
  { path: '/etc/redhat-release', parse: redHat },
  {
    path: '/etc/alpine-release',
    parse: (line) => ({ id: 'alpine', versionId: line, prettyName: `Alpine Linux ${line}` }),
  },
  {
    path: '/etc/SuSE-release',
    parse: (line) => ({ id: 'suse', versionId: versionIn(line), prettyName: line }),
  },
  {
    path: '/etc/arch-release',
    parse: (line) => ({ id: 'arch', versionId: null, prettyName: line || 'Arch Linux' }),
  },
  {
    path: '/etc/debian_version',
    parse: (line) => ({
      id: 'debian',
      versionId: versionIn(line),
      prettyName: `Debian GNU/Linux ${line}`.trim(),
    }),
  },
];

/** The places of os-release in the order of os-release(5). */
export const osReleasePaths = ['/etc/os-release', '/usr/lib/os-release'] as const;

/** The one-line files that name an old system which has no os-release. */
export const legacyReleasePaths: readonly string[] = legacyFiles.map((file) => file.path);

/** Names the operating system in a root; falls back to the one-line files of old systems. */
export const readOs = async (files: Files, root: string): Promise<Os> => {
  const texts = await Promise.all(osReleasePaths.map((path) => readInside(files, root, path)));
  const text = texts.find((candidate) => candidate !== null && candidate.trim() !== '');
  if (text !== undefined && text !== null && parseOsRelease(text).size > 0) {
    return osFromRelease(text);
  }
  const lines = await Promise.all(legacyReleasePaths.map((path) => readInside(files, root, path)));
  for (const [index, file] of legacyFiles.entries()) {
    const line = lines[index];
    if (line !== undefined && line !== null)
      return file.parse(plainText(line.split('\n')[0] ?? ''));
  }
  return { id: null, versionId: null, prettyName: unknownDistribution };
};
