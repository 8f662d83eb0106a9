import { administratorUnits } from '../../system-image/systemd-units.ts';
import type { Subject } from '../subject.ts';

export type MountUnit = {
  /** File name. */
  readonly name: string;
  readonly path: string;
  readonly text: string;
  /** Keys of the section [Mount] or [Swap]; the last value of a key counts. */
  readonly values: ReadonlyMap<string, string>;
  /** Directories `TARGET.wants` and `TARGET.requires` with a link to it. */
  readonly pulledInBy: readonly string[];
};

/** Keys of one section; continued lines and comments as in systemd.syntax(7). */
export const sectionValues = (text: string, section: string): ReadonlyMap<string, string> => {
  const values = new Map<string, string>();
  let current = '';
  for (const line of text.replaceAll(/\\\r?\n/g, ' ').split(/\r?\n/)) {
    const header = /^\s*\[([^\]]*)\]\s*$/.exec(line)?.[1];
    if (header !== undefined) current = header;
    const [, key, value] = /^\s*([A-Za-z]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (current === section && key !== undefined && value !== undefined) values.set(key, value);
  }
  return values;
};

/** Name of the mount unit for a place, as systemd-escape(1) --path makes it. */
export const unitNameFor = (where: string, suffix: string): string => {
  const parts = where.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.length === 0) return `-.${suffix}`;
  const escaped = [...Buffer.from(parts.join('/'))].map((byte, index) => {
    const character = String.fromCharCode(byte);
    if (character === '/') return '-';
    const plain = /[A-Za-z0-9:_]/.test(character) || (character === '.' && index > 0);
    return plain ? character : `\\x${byte.toString(16).padStart(2, '0')}`;
  });
  return `${escaped.join('')}.${suffix}`;
};

const pulledIn = async ({ files }: Subject): Promise<ReadonlyMap<string, readonly string[]>> => {
  const names = ((await files.list(administratorUnits)) ?? []).filter((name) =>
    /\.(?:wants|requires)$/.test(name),
  );
  const users = new Map<string, string[]>();
  for (const directory of names.slice(0, 200)) {
    for (const unit of (await files.list(`${administratorUnits}/${directory}`)) ?? []) {
      users.set(unit, [...(users.get(unit) ?? []), directory]);
    }
  }
  return users;
};

const sections: Readonly<Record<string, string>> = {
  mount: 'Mount',
  automount: 'Automount',
  swap: 'Swap',
};

/** Mount, automount and swap units that a person has laid down. Masked ones are links and left out. */
export const readMountUnits = async (subject: Subject): Promise<readonly MountUnit[]> => {
  const { files } = subject;
  const names = ((await files.list(administratorUnits)) ?? []).filter((name) =>
    /\.(?:mount|automount|swap)$/.test(name),
  );
  const users = await pulledIn(subject);
  const units = await Promise.all(
    names.slice(0, 200).map(async (name): Promise<readonly MountUnit[]> => {
      const path = `${administratorUnits}/${name}`;
      const entry = await files.entry(path);
      const text = entry?.status.kind === 'file' ? await files.read(path, 64 * 1024) : null;
      if (text === null) return [];
      const section = sections[name.slice(name.lastIndexOf('.') + 1)] ?? '';
      const values = sectionValues(text, section);
      return [{ name, path, text, values, pulledInBy: users.get(name) ?? [] }];
    }),
  );
  return units.flat();
};
