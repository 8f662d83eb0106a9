import type { SystemFiles } from '../../system-image/system-files.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';
import type { Evidence, Finding } from '../finding.ts';
import { addressPattern, lastLinks, plainAddress } from './last-links.ts';

/** A file that ties something to the address of one network card. */
export type Pin = {
  readonly path: string;
  readonly line: number;
  readonly text: string;
  /** In lower case with colons. */
  readonly mac: string;
  readonly kind: 'udev' | 'other';
};

const places: readonly {
  readonly directory: string;
  readonly name: RegExp;
  readonly line: RegExp;
  readonly kind: Pin['kind'];
}[] = [
  {
    directory: '/etc/udev/rules.d',
    name: /net.*\.rules$/,
    line: new RegExp(`^(?=.*NAME=)[^#]*ATTRS?\\{address\\}=="(${addressPattern})"`, 'i'),
    kind: 'udev',
  },
  {
    directory: '/etc/systemd/network',
    name: /\.(?:link|network)$/,
    line: new RegExp(`^(?:Permanent)?MACAddress=.*?(${addressPattern})`, 'i'),
    kind: 'other',
  },
  {
    directory: '/etc/netplan',
    name: /\.yaml$/,
    line: new RegExp(`^\\s+macaddress:\\s*["']?(${addressPattern})`, 'i'),
    kind: 'other',
  },
  {
    directory: '/etc/sysconfig/network-scripts',
    name: /^ifcfg-/,
    line: new RegExp(`^HWADDR=["']?(${addressPattern})`, 'i'),
    kind: 'other',
  },
  {
    directory: '/etc/NetworkManager/system-connections',
    name: /[^~]$/,
    line: new RegExp(`^mac-address=(${addressPattern})`, 'i'),
    kind: 'other',
  },
];

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
          return [{ path, line: at + 1, text, mac: plainAddress(address), kind }];
        }),
      );
    }),
  );
  return found.flat();
};

const findingOf = (pins: readonly Pin[], seen: readonly Evidence[], moved: boolean): Finding => ({
  id: moved ? 'network.names-pinned-elsewhere' : 'network.names-pinned',
  severity: moved ? 'critical' : 'info',
  title: moved
    ? `The network is tied to the card ${pins[0]?.mac ?? ''}, which the machine did not have at its last start`
    : `The network is tied to the address of a card: ${pins[0]?.mac ?? ''}`,
  subject: pins[0]?.path ?? '',
  evidence: [
    ...pins.map(({ path, line, text }) => fileEvidence(path, line, text)),
    ...(moved ? seen.slice(-2) : []),
  ],
  meaning: moved
    ? 'The card of this machine gets another name or no configuration: it boots, and cannot be reached.'
    : 'Right as long as the disk stays in its machine. On another one the card has another address, and gets no configuration.',
  // Only the person knows whether the disk goes to another machine.
  repair: moved ? 'network.free-names' : 'network.unpin-names',
});

/**
 * Pins are right on the machine that they were made for, and which one it will be cannot be seen
 * on the disk. So they are only told of, unless the last start shows all of its cards, and others.
 */
export const pinnedNamesCheck: Check = {
  area: 'network',
  finds: ['network.names-pinned', 'network.names-pinned-elsewhere'],
  run: async (subject) => {
    const pins = await readPins(subject.files);
    if (pins.length === 0) return [];
    const { macs, allMacs } = await lastLinks(subject);
    const moved = allMacs && macs.size > 0 && pins.every((pin) => !macs.has(pin.mac));
    return [findingOf(pins, [...macs.values()], moved)];
  },
};
