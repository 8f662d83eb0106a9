import { posix } from 'node:path';
import { readGrubBlsEntries, type SavedOptions } from './bls-menu.ts';
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

/** Whether it stands in a test of `boot_counter`, which counts starts that did not succeed. */
const isFallback = ({ tests }: GrubCommand): boolean =>
  tests.some((words) => words.some((word) => /^\$\{?boot_counter\}?$/.test(word)));

/** Whether all starts that were granted to a new system have failed (Fedora: 08_fallback_counting). */
const hasFallenBack = (environment: ReadonlyMap<string, string>): boolean =>
  /^(?:0|-1)$/.test(environment.get('boot_counter') ?? '') &&
  environment.get('boot_success') === '0';

/**
 * What `default` is when the menu comes up. grub-mkconfig writes an assignment for the case that
 * `next_entry` is saved, and another one for all other cases. Fedora's has a third one, for the time
 * after starts that failed.
 */
const defaultOf = (
  commands: readonly GrubCommand[],
  environment: ReadonlyMap<string, string>,
): string => {
  const fellBack = hasFallenBack(environment);
  const values = commands
    .filter((command) => fellBack || !isFallback(command))
    .flatMap((command) => assignment(command, 'default') ?? []);
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
    saved: null,
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

/** Links of RHEL and its like that lead to the files of GRUB for UEFI. */
const efiLinks = ['/etc/grub2-efi.cfg', '/boot/grub2/grubenv'] as const;

const onEsp = /^\/(?:boot\/)?efi\/EFI\/[^/]+\/[^/]+$/i;

/**
 * Where the menu is that RHEL 7 and 8 and their like keep on the EFI system partition, in the
 * directory of their vendor: their own links lead there. Null for other systems. Whether there is
 * such a file is another question, as the partition may not be mounted here.
 */
export const grubMenuOnEsp = async (files: SystemFiles): Promise<string | null> => {
  const targets = await Promise.all(
    efiLinks.map(async (link) => {
      const target = await files.link(link);
      return target === null ? '' : posix.resolve(posix.dirname(link), target);
    }),
  );
  const found = targets.find((target) => onEsp.test(target));
  return found === undefined ? null : `${posix.dirname(found)}/grub.cfg`;
};

/** The few lines on the EFI system partition that lead to the menu are none themselves. */
const isStub = (text: string): boolean => {
  const names = new Set(flat(parseGrubScript(text).commands).map(({ words }) => words[0] ?? ''));
  return names.has('configfile') && !names.has('menuentry') && !names.has('blscfg');
};

type MenuText = { readonly path: string; readonly text: string };

const findMenu = async (files: SystemFiles): Promise<MenuText | null> => {
  const efi = await grubMenuOnEsp(files);
  const paths = [
    ...directories.map((place) => `${place}/grub.cfg`),
    ...(efi === null ? [] : [efi]),
  ];
  const texts = await Promise.all(paths.map((path) => files.read(path)));
  const at = texts.findIndex(
    (text, index) => text !== null && text.trim() !== '' && (paths[index] !== efi || !isStub(text)),
  );
  const [path, text] = [paths[at], texts[at]];
  return path === undefined || text === undefined || text === null ? null : { path, text };
};

/** What entries in files of their own may name in place of a command line (RHEL 8). */
const optionVariables = ['kernelopts', 'default_kernelopts'] as const;

/** Where grubenv has no such command line, or an empty one, the one in grub.cfg counts. */
const savedOptions = (
  path: string,
  commands: readonly GrubCommand[],
  environmentPath: string,
  environment: ReadonlyMap<string, string>,
): SavedOptions => {
  const inMenu = optionVariables.flatMap((name) =>
    commands.flatMap((command) => {
      const value = assignment(command, name);
      return value === null ? [] : [[name, { path, value }] as const];
    }),
  );
  const inBlock = optionVariables.flatMap((name) => {
    const value = environment.get(name) ?? '';
    return value === '' ? [] : [[name, { path: environmentPath, value }] as const];
  });
  return new Map([...inMenu, ...inBlock]);
};

/** GRUB's menu with everything in it that starts Linux; null when there is no grub.cfg. */
export const readGrubMenu = async (files: SystemFiles): Promise<GrubMenu | null> => {
  const found = await findMenu(files);
  if (found === null) return null;
  const { path, text } = found;
  const environmentPath = `${posix.dirname(path)}/grubenv`;
  const environment = parseGrubEnvironment((await files.read(environmentPath, 4096)) ?? '');
  const script = parseGrubScript(text);
  const items = itemsOf(script.commands);
  const wanted = defaultOf(script.commands, environment);
  // Fedora's menu is not in grub.cfg: `blscfg` reads it from the entries' own files.
  if (flat(script.commands).some(({ words }) => words[0] === 'blscfg')) {
    const saved = savedOptions(path, script.commands, environmentPath, environment);
    const entries = await readGrubBlsEntries(files, wanted, saved);
    return { path, script, entries };
  }
  const chosen = defaultItem(items, wanted);
  const entries = await Promise.all(
    leaves(items).map((item) => entryOf(files, path, item, item === chosen)),
  );
  return { path, script, entries: entries.filter((entry) => entry !== null) };
};
