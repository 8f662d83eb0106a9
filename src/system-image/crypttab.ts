import { decodeField } from './fstab.ts';
import type { CrypttabEntry } from './system-facts.ts';

/** No key file is given: the passphrase is asked for at boot. */
const noKey = new Set(['', 'none', '-']);

const kindOf = (options: readonly string[]): CrypttabEntry['kind'] => {
  const has = (...names: readonly string[]) =>
    options.some((option) => names.includes(option.split('=', 1)[0] ?? ''));
  if (has('bitlk', 'bitlocker')) return 'bitlocker';
  if (has('tcrypt', 'tcrypt-veracrypt', 'veracrypt')) return 'tcrypt';
  // Swap and /tmp get a new key on each boot, and with it a mapping without any header.
  return has('plain', 'swap', 'tmp') ? 'plain' : 'luks';
};

const parseLine = (text: string, line: number): CrypttabEntry | null => {
  const [name, source, key, options] = text.split(/[ \t]+/).map(decodeField);
  if (name === undefined || source === undefined) return null;
  const list = (options ?? '').split(',').filter((option) => option !== '' && option !== 'none');
  return {
    line,
    name,
    source,
    keyFile: key === undefined || noKey.has(key) ? null : key,
    options: list,
    kind: kindOf(list),
  };
};

/**
 * Parses crypttab(5): name, device, key file and options between blanks, `#` lines, octal escapes as
 * Debian's cryptsetup reads them. A line with a name alone is no entry.
 */
export const parseCrypttab = (text: string): readonly CrypttabEntry[] =>
  text
    .replace(/^\ufeff/, '')
    .split('\n')
    .flatMap((raw, index) => {
      const content = raw.trim();
      if (content === '' || content.startsWith('#')) return [];
      return parseLine(content, index + 1) ?? [];
    });

/** The line of a mapping; of several with one name the first counts, as for cryptdisks(8). */
export const crypttabEntry = (
  entries: readonly CrypttabEntry[],
  name: string,
): CrypttabEntry | null => entries.find((entry) => entry.name === name) ?? null;
