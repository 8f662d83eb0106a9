import { oncePer } from '../../host/once-per.ts';
import type { SystemFiles } from '../../system-image/system-files.ts';
import { commandEvidence, fileEvidence } from '../file-evidence.ts';
import type { Evidence } from '../finding.ts';
import { journalOr, type LogEntry, openJournal } from '../last-boots/journal.ts';
import type { Subject } from '../subject.ts';

/** Address of a network card, as a part of a regular expression. */
export const addressPattern = '(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}';

/** In lower case with colons. */
export const plainAddress = (address: string): string => address.toLowerCase().replaceAll('-', ':');

/** Network cards of the last start that left a trace of them, each with the line that shows it. */
export type LastLinks = {
  readonly macs: ReadonlyMap<string, Evidence>;
  /**
   * Whether the log begins with its boot and gives an address for each card that it names. Many
   * drivers (virtio, mlx5, i40e, ixgbe) never say theirs: an address that is not among `macs` is
   * evidence of nothing then.
   */
  readonly allMacs: boolean;
  /** Names of cards that are wired, as the kernel or udev gave them. */
  readonly names: ReadonlyMap<string, Evidence>;
};

/** Lines that name an interface with its address: cloud-init's table, dhclient, kernel drivers. */
const speaks = new RegExp(
  `(?:ci-info: \\|\\s*(?!lo\\b)(\\S+).*|LPF/(\\S+?)/|\\b((?:eth|en)\\w*): .*?)(${addressPattern})`,
  'i',
);

const card = '((?:eth|en)[a-z0-9]+)';

/** Drivers and IPv6 of the kernel, networkd, NetworkManager, dhclient and cloud-init's table. */
const namers = [
  new RegExp(`\\b${card}:? (?:NIC )?Link (?:is|becomes) (?:up|ready|down)`, 'i'),
  new RegExp(`^${card}: (?:Gained|Lost) carrier|^${card}: Link UP|^${card}: DHCPv4 address`),
  new RegExp(`\\b(?:device|manager): \\(${card}\\):|\\bdevice \\(${card}\\):`),
  new RegExp(`\\bLPF/${card}/`),
  new RegExp(`ci-info: \\|\\s*${card}\\s*\\|`),
];

const renamed = /\b(\S+): renamed from (\S+)$/;

type Line = { readonly text: string; readonly evidence: Evidence };

/** What one log tells. */
type Told = LastLinks & { readonly anyCard: boolean };

/** The kernel gives the lowest free number: below eth1 there is eth0, even if no line names it. */
const hasGap = (names: ReadonlySet<string>): boolean => {
  const numbers = [...names].flatMap((name) => /^eth(\d{1,3})$/.exec(name)?.[1] ?? []).map(Number);
  return numbers.some((number) => number > 0 && !names.has(`eth${number - 1}`));
};

/**
 * Later lines of one start stand above earlier ones: udev renames what the kernel has named.
 *
 * @param whole whether the lines begin with the start.
 */
const linksOf = (lines: readonly Line[], whole: boolean): Told => {
  const [macs, names] = [new Map<string, Evidence>(), new Map<string, Evidence>()];
  // Each card by its name, whatever that looks like, and whether a line gave its address.
  const cards = new Map<string, boolean>();
  const everNamed = new Set<string>();
  for (const { text, evidence } of lines) {
    const spoken = speaks.exec(text)?.slice(1) ?? [];
    const [mac, speaker] = [spoken[3], spoken.slice(0, 3).find(Boolean)];
    if (mac !== undefined) macs.set(plainAddress(mac), evidence);
    if (speaker !== undefined) {
      cards.set(speaker, true);
      everNamed.add(speaker);
    }
    const [, to, from] = renamed.exec(text) ?? [];
    // Containers take a card of their own out of a pair, and call it eth0, too.
    if (to !== undefined && from !== undefined && !/^veth/.test(to) && !/^veth/.test(from)) {
      names.delete(from);
      everNamed.add(from);
      cards.set(to, cards.get(from) ?? false);
      cards.delete(from);
      if (new RegExp(`^${card}$`).test(to)) names.set(to, evidence);
    }
    const name = namers
      .map((pattern) => pattern.exec(text)?.slice(1).find(Boolean))
      .find((found) => found !== undefined);
    if (name === undefined) continue;
    names.set(name, evidence);
    everNamed.add(name);
    cards.set(name, cards.get(name) ?? false);
  }
  const allMacs = whole && [...cards.values()].every(Boolean) && !hasGap(everNamed);
  return { macs, names, allMacs, anyCard: cards.size > 0 };
};

/** Each start begins cloud-init's table of all cards anew; in other logs the kernel's first line marks it. */
const logs = [
  { path: '/var/log/cloud-init-output.log', begins: /Cloud-init v\. .* running 'init'/ },
  { path: '/var/log/syslog', begins: /Linux version / },
  { path: '/var/log/messages', begins: /Linux version / },
] as const;

/** Characters of a line that are looked at, as of the journal's: longer ones are of a broken disk. */
const maxLine = 500;

/** For each log the lines since the last start that it tells of. */
const fromTextLogs = (files: SystemFiles): Promise<readonly Told[]> =>
  Promise.all(
    logs.map(async ({ path, begins }) => {
      const text = (await files.read(path, 8 * 1024 * 1024)) ?? '';
      const lines = text.split('\n').map((line) => line.slice(0, maxLine));
      const start = lines.findLastIndex((line) => begins.test(line));
      if (start === -1) return linksOf([], false);
      const since = lines.slice(start).map((text, at) => ({
        text,
        evidence: fileEvidence(path, start + at + 1, text),
      }));
      return linksOf(since, true);
    }),
  );

/** Who speaks of cards in the journal; the kernel's own lines have this name, too. */
const speakers = ['kernel', 'systemd-networkd', 'NetworkManager', 'dhclient', 'cloud-init'];
const matches = [speakers.map((name) => `SYSLOG_IDENTIFIER=${name}`)];

const evidenceOf = ({ message }: LogEntry): Evidence =>
  commandEvidence(['journalctl', '--directory=/var/log/journal'], message);

/**
 * The last boot of the journal, and no older one: it would tell of cards that may be gone since. A
 * container, in which a rescue starts the system, has no kernel lines and is no boot of the machine.
 */
const fromJournal = async (subject: Subject): Promise<readonly Told[]> => {
  const entries = (await (await openJournal(subject))?.entries(matches)) ?? [];
  const last = entries.findLast(({ fromKernel }) => fromKernel)?.bootId ?? null;
  if (last === null) return [];
  const lines = entries
    .filter(({ bootId }) => bootId === last)
    .map((entry) => ({ text: entry.message, evidence: evidenceOf(entry) }));
  // Of very many entries only the newest are given.
  return [
    linksOf(
      lines,
      lines.some(({ text }) => text.startsWith('Linux version ')),
    ),
  ];
};

const readLinks = async (subject: Subject): Promise<LastLinks> => {
  const [journal, texts] = await Promise.all([
    journalOr(() => fromJournal(subject), []),
    fromTextLogs(subject.files),
  ]);
  // What the journal tells is newer than a log that nothing writes any more.
  const all = [...journal, ...texts];
  const none: ReadonlyMap<string, Evidence> = new Map();
  // Never the addresses of one log with the cards of another.
  const told = all.find(({ anyCard }) => anyCard);
  return {
    macs: told?.macs ?? none,
    allMacs: told?.allMacs ?? false,
    names: all.find(({ names }) => names.size > 0)?.names ?? none,
  };
};

/** The cards that the machine had when the system last ran, as far as its logs show them. */
export const lastLinks = oncePer(({ files }: Subject) => files, readLinks);
