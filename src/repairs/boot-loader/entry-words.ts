import { posix } from 'node:path';
import type { BootEntry } from '../../system-image/boot-entry.ts';
import { withoutDevice } from '../../system-image/entry-paths.ts';

/** Where the entry's own partition is mounted: `/boot/efi/loader/entries/x.conf` is on `/boot/efi`. */
const partitionOf = ({ path }: BootEntry): string =>
  path.endsWith('grub.cfg') ? '/boot' : path.slice(0, path.lastIndexOf('/loader/entries/'));

/** What stands before a path of /boot where it has no partition of its own: `/boot`, `/@/boot`. */
const leadOf = (entry: BootEntry): string =>
  partitionOf(entry) === '/boot'
    ? (/^(.*\/boot)\//.exec(withoutDevice(entry.kernel))?.[1] ?? '')
    : '';

/** How an entry has to name a file of the system; null for one that is not on its partition. */
export const wordFor = (entry: BootEntry, path: string): string | null => {
  const top = partitionOf(entry);
  return path.startsWith(`${top}/`) ? `${leadOf(entry)}${path.slice(top.length)}` : null;
};

/** The path of the system that a word of an entry stands for, whether a file is there or not. */
export const pathFor = (entry: BootEntry, word: string): string => {
  const [lead, absolute] = [leadOf(entry), posix.join('/', withoutDevice(word))];
  const inside = absolute.startsWith(`${lead}/`) ? absolute.slice(lead.length) : absolute;
  return `${partitionOf(entry)}${inside}`;
};

/** Updates for the processor, which the boot loader hands over in front of the initramfs. */
export const isMicrocode = (name: string): boolean =>
  /u-?code|microcode/i.test(posix.basename(name));

/**
 * The initramfs among the files that an entry hands over as one: beside microcode there may be keys
 * or firmware of the administrator, which nobody can make anew.
 */
export const mainInitramfs = (names: readonly string[]): string | null => {
  const own = names.filter((name) => !isMicrocode(name));
  const named = own.findLast((name) => /^init(?:rd|ramfs)/i.test(posix.basename(name)));
  return named ?? own.at(-1) ?? null;
};

/** What becomes of a file that an entry hands over: the new initramfs takes the place of `made`. */
type Fate = 'kept' | 'lost' | 'made';

/**
 * What becomes of each file of an entry. What is there stays, except for the paths that are made
 * anew; microcode that is gone cannot be made.
 *
 * @param made paths of the system.
 */
export const fatesOf =
  ({ initrds, initrdPaths }: BootEntry, made: readonly (string | null)[]) =>
  (name: string): Fate => {
    const path = initrdPaths[initrds.indexOf(name)] ?? null;
    if (path !== null) return made.includes(path) ? 'made' : 'kept';
    return isMicrocode(name) ? 'lost' : 'made';
  };

const initrdLine = /^(\s*initrd\s+)(.*)$/;

/** The lines of an entry's file with other words for what it hands over; a line without any is empty. */
const mapInitrds = (
  text: string,
  wordsFor: (word: string) => readonly string[],
): readonly string[] =>
  text.split(/(?<=\n)/).map((raw): string => {
    const [, line = '', end = ''] = /^(.*?)(\r?\n?)$/s.exec(raw) ?? [];
    const [, start, rest] = initrdLine.exec(line) ?? [];
    if (start === undefined || rest === undefined) return raw;
    const words = rest
      .trimEnd()
      .split(/\s+/)
      .flatMap((word) => (word.startsWith('$') ? [word] : wordsFor(word)));
    return words.length === 0 ? '' : `${start}${words.join(' ')}${end}`;
  });

/** The text of an entry's file that names no more what is gone and cannot be made. */
export const withoutLost = (text: string, fateOf: (name: string) => Fate): string =>
  mapInitrds(text, (word) => (fateOf(word) === 'lost' ? [] : [word])).join('');

/**
 * The text of an entry's file that loads this initramfs. It stands where the first one stood that
 * makes way for it; what is kept stays in its place.
 *
 * @param kernelLine after this line it goes where the entry has named none.
 */
export const withInitramfs = (
  text: string,
  initramfs: string,
  kernelLine: number,
  fateOf: (name: string) => Fate,
): string => {
  let isIn = false;
  const lines = mapInitrds(text, (word) => {
    const fate = fateOf(word);
    if (fate === 'kept') return [word];
    if (fate === 'lost' || isIn) return [];
    isIn = true;
    return [initramfs];
  });
  if (isIn) return lines.join('');
  const after = Math.max(
    kernelLine - 1,
    lines.findLastIndex((line) => initrdLine.test(line.trimEnd())),
  );
  return lines
    .map((line, index) =>
      index === after ? `${line.endsWith('\n') ? line : `${line}\n`}initrd ${initramfs}\n` : line,
    )
    .join('');
};
