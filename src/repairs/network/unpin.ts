import type { Change } from '../../changes/change.ts';
import { type Pin, readPins } from '../../diagnosis/network/pinned-names.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import { asComment, editLines } from '../edit-lines.ts';
import { planned, refused } from '../plan.ts';
import type { Repair, RepairPlan } from '../repair.ts';

const address = /ATTRS?\{address\}=="[^"]*"/i;

/**
 * The rule keeps giving its name, because the configuration goes by it, and gives it to whichever
 * Ethernet card there is. Type 1 is Ethernet: the loopback must not be renamed.
 */
const forAnyCard = (line: string): string =>
  /\{type\}=="1"/.test(line)
    ? line.replace(address, 'ATTR{address}=="?*"')
    : line.replace(address, 'ATTR{address}=="?*", ATTR{type}=="1"');

const mended = (pin: Pin): ((line: string) => string) | null => {
  if (pin.kind === 'udev') return forAnyCard;
  if (/\.(?:link|network)$/.test(pin.path)) return () => 'Type=ether';
  return /\.yaml$/.test(pin.path) ? null : asComment;
};

const changesFor = async ({ files }: Subject, pins: readonly Pin[]): Promise<RepairPlan> => {
  if (new Set(pins.map(({ mac }) => mac)).size > 1) {
    return refused(
      'several cards are named, and which of them takes whose place cannot be told',
      'Put the addresses of the new cards into the files, or take the lines out.',
    );
  }
  const changes: Change[] = [];
  for (const path of new Set(pins.map((pin) => pin.path))) {
    const text = (await files.readForEdit(path)) ?? '';
    const own = pins.filter((pin) => pin.path === path);
    const edits = new Map<number, (line: string) => string>();
    for (const pin of own) {
      const edit = mended(pin);
      if (edit === null) {
        return refused(
          `${path} must name its card in another way, and by which name is not known`,
          'Replace "macaddress" by "name" with the name of the card, for instance name: "en*".',
        );
      }
      edits.set(pin.line, edit);
    }
    changes.push({ kind: 'write-file', path, content: editLines(text, edits) });
  }
  return planned(changes);
};

const unpin = {
  stage: 'network',
  why: 'On another machine the card has another address, and gets no name or no configuration.',
  risk: 'With several cards their order may change.',
  proof: 'none',
  plan: async (subject: Subject) => changesFor(subject, await readPins(subject.files)),
} as const;

/** For a disk that is to go to another machine. */
export const unpinNames: Repair = {
  ...unpin,
  id: 'network.unpin-names',
  title: 'Let the network configuration fit any card, for a move to another machine',
  onlyWhenNamed: true,
};

/** For a disk that has been moved: the last start shows other cards. */
export const freeNames: Repair = {
  ...unpin,
  id: 'network.free-names',
  title: 'Let the network configuration fit the card that is there now',
};
