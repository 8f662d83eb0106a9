import { readGrubBlsEntries } from './bls-menu.ts';
import type { BootEntry, EntryPlace } from './boot-entry.ts';
import { locateEntryFile } from './entry-paths.ts';
import { type GrubCommand, type GrubScript, parseGrubScript } from './grub-script.ts';
import type { SystemFiles } from './system-files.ts';

/** A line of the menu: something that is started, or a menu below it. */
export type MenuItem = {
  readonly title: string;
  readonly id: string | null;
  readonly command: GrubCommand;
  /** Null for what is no submenu. */
  readonly items: readonly MenuItem[] | null;
};

export type GrubMenu = {
  /** Path of grub.cfg in the system. */
  readonly path: string;
  readonly script: GrubScript;
  readonly entries: readonly BootEntry[];
};

/** Options of `menuentry` that take a word. */
const withValue = new Set(['--class', '--users', '--hotkey', '--source', '--id']);

const idOf = (words: readonly string[]): string | null => {
  const at = words.findIndex((word) => /^(?:--id|\$\{?menuentry_id_option\}?)$/.test(word));
  const joined = words.find((word) => word.startsWith('--id='));
  return joined?.slice('--id='.length) ?? (at === -1 ? null : (words[at + 1] ?? null));
};

const titleOf = (words: readonly string[]): string => {
  const rest = words.slice(1);
  return (
    rest.find((word, index) => !word.startsWith('-') && !withValue.has(rest[index - 1] ?? '')) ?? ''
  );
};

/** Commands in blocks that are no entries (a function, a condition) count as standing outside. */
const itemsOf = (commands: readonly GrubCommand[]): readonly MenuItem[] =>
  commands.flatMap((command): readonly MenuItem[] => {
    const [name] = command.words;
    if (name !== 'menuentry' && name !== 'submenu') return [];
    return [
      {
        title: titleOf(command.words),
        id: idOf(command.words),
        command,
        items: name === 'submenu' ? itemsOf(command.body ?? []) : null,
      },
    ];
  });

const assignment = (command: GrubCommand, name: string): string | null => {
  const word = command.words[0] === 'set' ? command.words[1] : undefined;
  return word?.startsWith(`${name}=`) ? word.slice(name.length + 1) : null;
};

/** The block that grub-editenv(1) writes: `name=value` lines, filled up with `#`. */
export const parseGrubEnvironment = (text: string): ReadonlyMap<string, string> =>
  new Map(
    [...text.matchAll(/^([A-Za-z_][\w]*)=(.*)$/gm)].map((match) => [
      match[1] ?? '',
      match[2] ?? '',
    ]),
  );

/**
 * What `default` is when the menu comes up. grub-mkconfig writes an assignment for the case that
 * `next_entry` is saved, and another one for all other cases.
 */
const defaultOf = (
  commands: readonly GrubCommand[],
  environment: ReadonlyMap<string, string>,
): string => {
  const values = commands.flatMap((command) => assignment(command, 'default') ?? []);
  const next = environment.get('next_entry') ?? '';
  const usesNext = values.some((value) => /^\$\{?next_entry\}?$/.test(value));
  if (usesNext && next !== '') return next;
  const plain = values.findLast((value) => !/^\$\{?next_entry\}?$/.test(value)) ?? '0';
  const variable = /^\$\{?(\w+)\}?$/.exec(plain)?.[1];
  return variable === undefined ? plain : (environment.get(variable) ?? '0');
};

const choose = (items: readonly MenuItem[], wanted: string): MenuItem | null => {
  const [head = '', ...rest] = wanted.split('>');
  const found = /^\d+$/.test(head)
    ? items[Number(head)]
    : items.find((item) => item.id === head || item.title === head);
  if (found === undefined) return null;
  if (found.items === null) return found;
  return choose(found.items, rest.length === 0 ? '0' : rest.join('>'));
};

/** The entry that `default` names; GRUB takes the first one when there is no such. */
export const defaultItem = (items: readonly MenuItem[], wanted: string): MenuItem | null =>
  choose(items, wanted) ?? choose(items, '0');

const placeOf = ({ words }: GrubCommand): EntryPlace | null => {
  const root = words[0] === 'set' && words[1]?.startsWith('root=') ? words[1].slice(5) : null;
  if (root !== null && root !== '' && !root.startsWith('$')) {
    return { by: 'device', value: root.replace(/^\(|\)$/g, '') };
  }
  const by = words[0]?.startsWith('search.') ? words[0].slice('search.'.length) : null;
  if (words[0] !== 'search' && by === null) return null;
  const plain = words.slice(1).filter((word) => !word.startsWith('-'));
  const value = by === null ? plain.at(-1) : plain[0];
  if (value === undefined) return null;
  const has = (name: string, short: string) =>
    by === name.replace('-', '_') || words.includes(`--${name}`) || words.includes(short);
  if (has('fs-uuid', '-u')) return { by: 'uuid', value };
  if (has('label', '-l')) return { by: 'label', value };
  return has('file', '-f') || by === 'fs_file' ? { by: 'file', value } : null;
};

const flat = (commands: readonly GrubCommand[]): readonly GrubCommand[] =>
  commands.flatMap((command) => [command, ...flat(command.body ?? [])]);

const linuxNames = new Set(['linux', 'linux16', 'linuxefi']);
const initrdNames = new Set(['initrd', 'initrd16', 'initrdefi']);

const entryOf = async (
  files: SystemFiles,
  path: string,
  item: MenuItem,
  isDefault: boolean,
): Promise<BootEntry | null> => {
  const commands = flat(item.command.body ?? []);
  const named = (names: ReadonlySet<string>) =>
    commands.find((command) => names.has(command.words[0] ?? ''));
  const linux = named(linuxNames);
  const initrd = named(initrdNames);
  const kernel = linux?.words[1];
  if (linux === undefined || kernel === undefined) return null;
  const initrds = initrd?.words.slice(1).filter((word) => !word.startsWith('$')) ?? [];
  const locate = (file: string) => locateEntryFile(files, file, '/boot');
  const [kernelPath, initrdPaths] = await Promise.all([
    locate(kernel),
    Promise.all(initrds.map(locate)),
  ]);
  return {
    loader: 'grub',
    title: item.title,
    id: item.id,
    kernel,
    kernelPath,
    initrds,
    initrdPaths,
    options: linux.words.slice(2).join(' '),
    isDefault,
    path,
    line: item.command.line,
    kernelLine: linux.line,
    initrdLine: initrd?.line ?? null,
    places: commands.flatMap((command) => {
      const place = placeOf(command);
      return place === null ? [] : [{ ...place, line: command.line }];
    }),
  };
};

const leaves = (items: readonly MenuItem[]): readonly MenuItem[] =>
  items.flatMap((item) => (item.items === null ? [item] : leaves(item.items)));

const directories = ['/boot/grub', '/boot/grub2'] as const;

/** GRUB's menu with everything in it that starts Linux; null when there is no grub.cfg. */
export const readGrubMenu = async (files: SystemFiles): Promise<GrubMenu | null> => {
  const texts = await Promise.all(directories.map((place) => files.read(`${place}/grub.cfg`)));
  const at = texts.findIndex((text) => text !== null && text.trim() !== '');
  const directory = directories[at];
  const text = texts[at];
  if (directory === undefined || text === undefined || text === null) return null;
  const path = `${directory}/grub.cfg`;
  const environment = parseGrubEnvironment((await files.read(`${directory}/grubenv`, 4096)) ?? '');
  const script = parseGrubScript(text);
  const items = itemsOf(script.commands);
  const wanted = defaultOf(script.commands, environment);
  // Fedora's menu is not in grub.cfg: `blscfg` reads it from the entries' own files.
  if (flat(script.commands).some(({ words }) => words[0] === 'blscfg')) {
    const entries = await readGrubBlsEntries(files, wanted);
    return { path, script, entries };
  }
  const chosen = defaultItem(items, wanted);
  const entries = await Promise.all(
    leaves(items).map((item) => entryOf(files, path, item, item === chosen)),
  );
  return { path, script, entries: entries.filter((entry) => entry !== null) };
};
