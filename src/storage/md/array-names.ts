import { splitName } from './array-words.ts';
import type { Member } from './examine.ts';

/** udev writes what does not fit in a file name as `_` (OPTIONS string_escape=replace). */
const udevName = (name: string): string => name.replace(/[^\p{L}\p{N}#+.:=@_-]/gu, '_');

/** mdadm makes no link for a name that is a path. */
const isPlain = (name: string): boolean => name !== '' && !name.includes('/');

const namedNodes = (name: string): readonly string[] => {
  const { name: own } = splitName(name);
  const number = /^\d+$/.test(own) ? [`/dev/md${own}`] : [];
  return [...new Set([own, name])]
    .filter(isPlain)
    .map((each) => `/dev/md/${each}`)
    .concat(number);
};

/**
 * The names under /dev that an array has on the machine it comes from: `/dev/md/NAME`, also with
 * the host before it, `/dev/mdN` when the name is a number or metadata 0.90 has one, and udev's
 * links in /dev/disk/by-id.
 */
export const arrayNames = ({
  arrayUuid,
  name,
  preferredMinor,
}: Pick<Member, 'arrayUuid' | 'name' | 'preferredMinor'>): readonly string[] => [
  ...(name === null ? [] : namedNodes(name)),
  ...(preferredMinor === null ? [] : [`/dev/md/${preferredMinor}`, `/dev/md${preferredMinor}`]),
  ...(name === null || name === '' ? [] : [`/dev/disk/by-id/md-name-${udevName(name)}`]),
  `/dev/disk/by-id/md-uuid-${arrayUuid}`,
];
