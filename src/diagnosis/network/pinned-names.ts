import type { SystemFiles } from '../../system-image/system-files.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';
import type { Finding } from '../finding.ts';

/** A file that ties something to the address of one network card. */
export type Pin = {
  readonly path: string;
  readonly line: number;
  readonly text: string;
  /** In lower case with colons. */
  readonly mac: string;
  readonly kind: 'udev' | 'other';
};

const mac = '(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}';

const places: readonly {
  readonly directory: string;
  readonly name: RegExp;
  readonly line: RegExp;
  readonly kind: Pin['kind'];
}[] = [
  {
    directory: '/etc/udev/rules.d',
    name: /net.*\.rules$/,
    line: new RegExp(`^(?=.*NAME=)[^#]*ATTRS?\\{address\\}=="(${mac})"`, 'i'),
    kind: 'udev',
  },
  {
    directory: '/etc/systemd/network',
    name: /\.(?:link|network)$/,
    line: new RegExp(`^(?:Permanent)?MACAddress=.*?(${mac})`, 'i'),
    kind: 'other',
  },
  {
    directory: '/etc/netplan',
    name: /\.yaml$/,
    line: new RegExp(`^\\s+macaddress:\\s*["']?(${mac})`, 'i'),
    kind: 'other',
  },
  {
    directory: '/etc/sysconfig/network-scripts',
    name: /^ifcfg-/,
    line: new RegExp(`^HWADDR=["']?(${mac})`, 'i'),
    kind: 'other',
  },
  {
    directory: '/etc/NetworkManager/system-connections',
    name: /[^~]$/,
    line: new RegExp(`^mac-address=(${mac})`, 'i'),
    kind: 'other',
  },
];

const normal = (address: string): string => address.toLowerCase().replaceAll('-', ':');

/** Lines of a file; in one of systemd's only those that choose the card, not those that set it. */
const matching = (text: string): readonly { readonly text: string; readonly at: number }[] => {
  const lines = text.split('\n').map((line, at) => ({ text: line, at }));
  if (!/^\[Match\]/m.test(text)) return lines;
  let section = '';
  return lines.filter((line) => {
    section = /^\[(.+)\]/.exec(line.text)?.[1] ?? section;
    return section === 'Match';
  });
};

/** Every pin, with the line it is in. */
export const readPins = async (files: SystemFiles): Promise<readonly Pin[]> => {
  const found = await Promise.all(
    places.map(async ({ directory, name, line: pattern, kind }) => {
      const names = ((await files.list(directory)) ?? []).filter((each) => name.test(each));
      const texts = await Promise.all(names.map((each) => files.read(`${directory}/${each}`)));
      return names.flatMap((each, index) =>
        matching(texts[index] ?? '').flatMap(({ text, at }): readonly Pin[] => {
          const address = pattern.exec(text)?.[1];
          if (address === undefined) return [];
          const path = `${directory}/${each}`;
          return [{ path, line: at + 1, text, mac: normal(address), kind }];
        }),
      );
    }),
  );
  return found.flat();
};

const logs = ['/var/log/cloud-init-output.log', '/var/log/syslog', '/var/log/messages'];

type Seen = { readonly path: string; readonly line: number; readonly text: string };

/** Lines that name an interface with its address: cloud-init's table, dhclient, kernel drivers. */
const speaks = new RegExp(
  `(?:ci-info: \\|\\s*(?!lo\\b)\\S+.*|LPF/\\S+?/|\\b(?:eth|en)\\w*: .*?)(${mac})`,
  'i',
);

type LastCards = { readonly macs: ReadonlySet<string>; readonly seen: readonly Seen[] };

/** The cards of the last start that left a trace in a log. */
const lastCards = async (files: SystemFiles): Promise<LastCards> => {
  const texts = await Promise.all(logs.map((path) => files.read(path, 8 * 1024 * 1024)));
  for (const [index, text] of texts.entries()) {
    const lines = (text ?? '').split('\n').map((line, at) => ({ line: at + 1, text: line }));
    // Each start begins its table anew; in other logs the kernel's first line marks it.
    const start = lines.findLastIndex((each) =>
      /Cloud-init v\. .* running 'init'|Linux version /.test(each.text),
    );
    const seen = lines.slice(Math.max(start, 0)).filter((each) => speaks.test(each.text));
    if (start === -1 || seen.length === 0) continue;
    const macs = new Set(seen.map((each) => normal(speaks.exec(each.text)?.[1] ?? '')));
    return { macs, seen: seen.map((each) => ({ path: logs[index] ?? '', ...each })) };
  }
  return { macs: new Set(), seen: [] };
};

const findingOf = (pins: readonly Pin[], { seen }: LastCards, moved: boolean): Finding => ({
  id: moved ? 'network.names-pinned-elsewhere' : 'network.names-pinned',
  severity: moved ? 'critical' : 'info',
  title: moved
    ? `The network is tied to the card ${pins[0]?.mac ?? ''}, which the machine did not have at its last start`
    : `The network is tied to the address of a card: ${pins[0]?.mac ?? ''}`,
  subject: pins[0]?.path ?? '',
  evidence: [
    ...pins.map(({ path, line, text }) => fileEvidence(path, line, text)),
    ...(moved ? seen.slice(-2).map(({ path, line, text }) => fileEvidence(path, line, text)) : []),
  ],
  meaning: moved
    ? 'The card of this machine gets another name or no configuration: it boots, and cannot be reached.'
    : 'Right as long as the disk stays in its machine. On another one the card has another address, and gets no configuration.',
  // Only the person knows whether the disk goes to another machine.
  repair: moved ? 'network.free-names' : 'network.unpin-names',
});

/**
 * Pins are right on the machine that they were made for, and which one it will be cannot be seen
 * on the disk. So they are only told of, unless the last start shows that it had other cards.
 */
export const pinnedNamesCheck: Check = {
  area: 'network',
  finds: ['network.names-pinned', 'network.names-pinned-elsewhere'],
  run: async ({ files }) => {
    const pins = await readPins(files);
    if (pins.length === 0) return [];
    const cards = await lastCards(files);
    const moved = cards.macs.size > 0 && pins.every((pin) => !cards.macs.has(pin.mac));
    return [findingOf(pins, cards, moved)];
  },
};
