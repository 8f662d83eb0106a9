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

const initrdLine = /^(\s*initrd\s+)(.*?)\s*$/;

/**
 * The text of an entry's file that loads this initramfs. What `isKept` names stays in its place;
 * every other initramfs that the entry names, on whichever line, makes way for it.
 *
 * @param kernelLine after this line it goes where the entry has named none.
 */
export const withInitramfs = (
  text: string,
  initramfs: string,
  kernelLine: number,
  isKept: (name: string) => boolean,
): string => {
  let isIn = false;
  const lines = text.split(/(?<=\n)/).map((raw): string => {
    const [, line = '', end = ''] = /^(.*?)(\r?\n?)$/s.exec(raw) ?? [];
    const [, start, rest] = initrdLine.exec(line) ?? [];
    if (start === undefined || rest === undefined) return raw;
    const words = rest.split(/\s+/).flatMap((word) => {
      if (word.startsWith('$') || isKept(word)) return [word];
      if (isIn) return [];
      isIn = true;
      return [initramfs];
    });
    return words.length === 0 ? '' : `${start}${words.join(' ')}${end}`;
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

/** Microcode that is there: it is of the machine and not of one kernel. */
export const keptMicrocode =
  ({ initrds, initrdPaths }: BootEntry) =>
  (name: string): boolean =>
    isMicrocode(name) && (initrdPaths[initrds.indexOf(name)] ?? null) !== null;
