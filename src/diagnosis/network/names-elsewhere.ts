import { fitsGlob } from '../../system-image/glob.ts';
import { parseIni } from '../../system-image/ini-file.ts';
import type { SystemFiles } from '../../system-image/system-files.ts';
import { hasYamlAlias, yamlFault, yamlLeaves } from '../../system-image/yaml-file.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';
import type { Evidence, Finding } from '../finding.ts';
import { lastLinks } from './last-links.ts';
import { type Managers, managerOf, readManagers } from './managers.ts';

/** A card that the configuration names, or a pattern for several. */
type Wanted = { readonly pattern: string; readonly evidence: Evidence; readonly path: string };

/** What a configuration is for; null when it is for cards that it does not name. */
type Named = readonly Wanted[] | null;

/** Bridges, bonds and other devices that the system makes itself have other names. */
const isCard = (name: string): boolean => /^(?:eth|en)[a-z0-9*?]+$/.test(name);

const fromInterfaces = ({ interfaces }: Managers): Named => {
  const { wanted } = interfaces;
  if (wanted.some(({ name }) => /[*?[/=]/.test(name))) return null;
  return wanted
    .filter(({ name }) => isCard(name))
    .map(({ name, path, line }) => ({
      pattern: name,
      path,
      evidence: fileEvidence(path, line, `auto ${name}`),
    }));
};

const fromNetworkFile = (path: string, text: string): Named => {
  const match = parseIni(text, true).sections.filter(({ name }) => name === 'Match');
  const entries = match.flatMap((section) => section.entries);
  const names = entries.filter(({ key }) => key === 'Name');
  const words = names.flatMap(({ value, line }) =>
    value.split(/\s+/).map((pattern) => ({ pattern, line })),
  );
  if (words.length === 0 || words.some(({ pattern }) => /[![*]/.test(pattern[0] ?? ''))) {
    // Without any match at all it is for no card; that is a finding of its own.
    return entries.length === 0 ? [] : null;
  }
  // `e*` and `e[nt]*` are for cards, too, and for which ones is not told by a name.
  if (words.some(({ pattern }) => /[*?[]/.test(pattern) && !isCard(pattern))) return null;
  return words
    .filter(({ pattern }) => isCard(pattern))
    .map(({ pattern, line }) => ({
      pattern,
      path,
      evidence: fileEvidence(path, line, `Name=${pattern}`),
    }));
};

const fromNetplan = (path: string, text: string): Named => {
  if (yamlFault(text) !== null) return [];
  // Whatever is given so may be a `match`, and is not among the leaves.
  if (hasYamlAlias(text)) return null;
  const leaves = yamlLeaves(text).filter(
    ({ path: keys }) => keys[0] === 'network' && keys[1] === 'ethernets',
  );
  if (leaves.some(({ path: keys }) => keys[3] === 'match')) return null;
  const names = new Map(leaves.map(({ path: keys, line }) => [keys[2] ?? '', line] as const));
  return [...names]
    .filter(([name]) => isCard(name))
    .map(([name, line]) => ({
      pattern: name,
      path,
      evidence: fileEvidence(path, line, `ethernets: ${name}`),
    }));
};

const fromDirectory = async (
  files: SystemFiles,
  place: string,
  end: RegExp,
  read: (path: string, text: string) => Named,
): Promise<readonly Named[]> => {
  const names = ((await files.list(place)) ?? []).filter((name) => end.test(name));
  return Promise.all(
    names.map(async (name) => {
      const text = await files.read(`${place}/${name}`, 256 * 1024);
      return text === null ? [] : read(`${place}/${name}`, text);
    }),
  );
};

const starts = (managers: Managers, name: Parameters<typeof managerOf>[1]): boolean =>
  managerOf(managers, name)?.enabled === true;

/** What all that starts is configured for; null when one of them is for cards without a name. */
const wantedCards = async (files: SystemFiles): Promise<Named> => {
  const managers = await readManagers(files);
  // NetworkManager configures any card that nobody has forbidden it.
  if (managers.others || starts(managers, 'NetworkManager')) return null;
  const all: readonly Named[] = [
    ...(starts(managers, 'networking') ? [fromInterfaces(managers)] : []),
    ...(starts(managers, 'systemd-networkd')
      ? await fromDirectory(files, '/etc/systemd/network', /\.network$/, fromNetworkFile)
      : []),
    ...(managers.netplan ? await fromDirectory(files, '/etc/netplan', /\.yaml$/, fromNetplan) : []),
  ];
  return all.some((one) => one === null) ? null : all.flatMap((one) => one ?? []);
};

/** Names that a rule of udev or a .link file gives to a card, whatever it was called before. */
const givenNames = async (files: SystemFiles): Promise<ReadonlySet<string>> => {
  const read = async (place: string, end: RegExp): Promise<readonly string[]> => {
    const names = ((await files.list(place)) ?? []).filter((name) => end.test(name));
    const texts = await Promise.all(names.map((name) => files.read(`${place}/${name}`)));
    return texts.map((text) => text ?? '');
  };
  const [rules, links] = await Promise.all([
    read('/etc/udev/rules.d', /\.rules$/),
    read('/etc/systemd/network', /\.link$/),
  ]);
  const found = [
    ...rules.flatMap((text) => [...text.matchAll(/^[^#\n]*\bNAME=?="([^"]+)"/gm)]),
    ...links.flatMap((text) => [...text.matchAll(/^Name=(\S+)/gm)]),
  ];
  return new Set(found.map(([, name = '']) => name));
};

const findingOf = (wanted: readonly Wanted[], names: ReadonlyMap<string, Evidence>): Finding => {
  const meant = [...new Set(wanted.map(({ pattern }) => pattern))].slice(0, 4).join(', ');
  const had = [...names.keys()].slice(0, 4).join(', ');
  return {
    id: 'network.names-elsewhere',
    severity: 'warning',
    title: `The network is configured for ${meant}, and the machine had ${had} at its last start`,
    subject: wanted[0]?.path ?? '',
    evidence: [
      ...wanted.slice(0, 4).map(({ evidence }) => evidence),
      ...[...names.values()].slice(0, 2),
    ],
    meaning:
      'No card has a name that is configured: on that machine it boots, and cannot be reached. Right when the disk goes to a machine whose cards have these names.',
    repair: null,
  };
};

/**
 * Names of cards go by the slot and the driver, so that another machine has others. They are
 * compared with those of the last start, where its logs show them.
 */
export const namesElsewhereCheck: Check = {
  area: 'network',
  finds: ['network.names-elsewhere'],
  run: async (subject) => {
    const wanted = await wantedCards(subject.files);
    if (wanted === null || wanted.length === 0) return [];
    const given = await givenNames(subject.files);
    if (wanted.some(({ pattern }) => given.has(pattern))) return [];
    const { names } = await lastLinks(subject);
    const fits = wanted.some(({ pattern }) =>
      [...names.keys()].some((name) => fitsGlob(name, pattern)),
    );
    return names.size === 0 || fits ? [] : [findingOf(wanted, names)];
  },
};
