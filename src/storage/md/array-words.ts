import type { Choice } from './choose-members.ts';
import type { Member } from './examine.ts';

/** `web-3:root` is the array `root` that `web-3` made (mdadm(8), `--homehost`). */
export const splitName = (
  name: string,
): { readonly host: string | null; readonly name: string } => {
  const colon = name.indexOf(':');
  return colon < 0
    ? { host: null, name }
    : { host: name.slice(0, colon), name: name.slice(colon + 1) };
};

const levelWords = (level: string): string =>
  level.startsWith('raid') ? `RAID ${level.slice(4)}` : level;

const nameWords = ({ name, preferredMinor, arrayUuid }: Member): string => {
  if (name === null || name === '') {
    return preferredMinor === null ? `array ${arrayUuid}` : `array md${preferredMinor}`;
  }
  const parts = splitName(name);
  const own = /^\d+$/.test(parts.name) ? `md${parts.name}` : parts.name;
  return `array ${own}${parts.host === null ? '' : ` of ${parts.host}`}`;
};

/** "array root of web-3 (RAID 1, 1 of 2 disks)". */
export const arrayWords = ({ newest, present, expected }: Choice): string =>
  `${nameWords(newest)} (${levelWords(newest.level)}, ${present} of ${expected} disks)`;

const staleWords = ({ stale }: Choice): string => {
  if (stale.length === 0) return '';
  const names = stale.map(({ device }) => device).join(', ');
  return ` ${names} ${stale.length === 1 ? 'is' : 'are'} out of date and left out.`;
};

const copiesWords = ({ copies }: Choice): string =>
  copies
    .map(
      ({ devices }) =>
        ` ${devices.join(' and ')} are copies of the same member: name the right one with --with, or detach the other.`,
    )
    .join('');

/** Why an array is not simply opened, and what opening it all the same means. */
export const whyNot = (choice: Choice): string => {
  const { present, expected, state, newest } = choice;
  const attached = `${present} of ${expected} disks ${expected === 1 ? 'is' : 'are'} attached`;
  const more = `${staleWords(choice)}${copiesWords(choice)}`;
  if (state === 'impossible') {
    return `${attached}, and ${levelWords(newest.level)} does not work with fewer.${more}`;
  }
  const known = newest.missingBefore.length >= expected - present;
  const meaning = known
    ? 'the array was used without the missing ones before'
    : 'the missing ones may hold what was written last, and fall behind when something is written now';
  return `${attached}: ${meaning}.${more}`;
};
