import { compareVersions } from '../../system-image/version-compare.ts';
import { genericOptions, optionsOf, removedOptions } from './option-names.ts';

const fileSystems = ['ext4', 'xfs', 'btrfs', 'vfat'] as const;

/** What is known of an option for one file system type. */
export type OptionJudgement =
  | { readonly kind: 'known' }
  /** It belongs to these other types. */
  | { readonly kind: 'foreign'; readonly of: readonly string[] }
  /** Kernels from this version on refuse it, and the one that is started is not older. */
  | { readonly kind: 'removed'; readonly since: string }
  /** One or two letters from exactly one that is known. */
  | { readonly kind: 'misspelt'; readonly meant: string }
  | { readonly kind: 'unknown' };

/** Edits between two words, adjacent letters exchanged counting as one; more than 2 are 3. */
const distance = (one: string, other: string): number => {
  if (Math.abs(one.length - other.length) > 2) return 3;
  const rows: number[][] = [Array.from({ length: other.length + 1 }, (_, index) => index)];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? 3;
  for (let row = 1; row <= one.length; row += 1) {
    const cells = [row];
    rows.push(cells);
    for (let column = 1; column <= other.length; column += 1) {
      const same = one[row - 1] === other[column - 1];
      const swapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      cells.push(
        Math.min(
          at(row - 1, column) + 1,
          at(row, column - 1) + 1,
          at(row - 1, column - 1) + (same ? 0 : 1),
          row > 1 && column > 1 && swapped ? at(row - 2, column - 2) + 1 : 3,
        ),
      );
    }
  }
  return Math.min(3, at(one.length, other.length));
};

/** The only known name that is nearest to a misspelt one; null when it is far or there is a choice. */
const nearestName = (name: string, known: ReadonlySet<string>): string | null => {
  const limit = name.length < 5 ? 1 : 2;
  const near = [...known]
    .map((candidate) => ({ candidate, edits: distance(name, candidate) }))
    .filter(({ edits }) => edits <= limit)
    .sort((one, other) => one.edits - other.edits);
  const [first, second] = near;
  return first === undefined || second?.edits === first.edits ? null : first.candidate;
};

/** Some kernels are named by something else than their version: those may be of any age. */
const isFrom = (kernel: string, since: string): boolean =>
  /^\d+\.\d+/.test(kernel) && compareVersions(kernel, since) >= 0;

/** Whether options of this type can be judged at all. */
export const knowsOptionsOf = (fsType: string): boolean => fsType in optionsOf;

/**
 * Judges one option (`name` or `name=value`) of an fstab line for a file system type.
 *
 * @param kernel version of the kernel that will mount it; null when it is not known.
 */
export const judgeOption = (
  fsType: string,
  option: string,
  kernel: string | null,
): OptionJudgement => {
  const own = optionsOf[fsType];
  const [name = ''] = option.split('=', 1);
  // Extensions for programs are not handed to the kernel (mount(8)).
  if (own === undefined || /^(?:x-|X-|verity\.|comment$|_)/.test(name)) return { kind: 'known' };
  const since = removedOptions[fsType]?.get(name);
  if (since !== undefined && isFrom(kernel ?? '', since)) return { kind: 'removed', since };
  if (genericOptions.has(name) || own.has(name)) return { kind: 'known' };
  const of = fileSystems.filter((type) => type !== fsType && optionsOf[type]?.has(name) === true);
  if (of.length > 0) return { kind: 'foreign', of };
  const meant = nearestName(name, new Set([...genericOptions, ...own]));
  return meant === null ? { kind: 'unknown' } : { kind: 'misspelt', meant };
};
