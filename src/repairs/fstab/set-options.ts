import { badOptions } from '../../diagnosis/fstab/mount-options.ts';
import type { TableEntry } from '../../diagnosis/fstab/table.ts';
import { lineText, setField } from '../../system-image/edit-fields.ts';
import type { Repair } from '../repair.ts';
import { editEntries } from './edit-table.ts';

/** Misspelt options are spelt right, those of other file systems go, the rest stays in its order. */
const mended = (one: TableEntry): string | null => {
  const bad = new Map(badOptions(one).map(({ option, judgement }) => [option, judgement]));
  if ([...bad.values()].some(({ kind }) => kind === 'unknown')) return null;
  const options = one.entry.options.flatMap((option) => {
    const judgement = bad.get(option);
    if (judgement === undefined) return [option];
    if (judgement.kind !== 'misspelt') return [];
    return [judgement.meant + option.slice(option.split('=', 1)[0]?.length ?? 0)];
  });
  return options.length === 0 ? 'defaults' : [...new Set(options)].join(',');
};

/** Takes what the kernel refuses out of the options of a line. */
export const setOptions: Repair = {
  id: 'fstab.set-options',
  stage: 'fstab',
  title: 'Correct the mount options in fstab',
  why: 'The kernel refuses a mount with an option that it does not know. A misspelt option is set to the one that it can only be; an option of another file system is taken out.',
  risk: 'The mount has no longer what the removed option was meant to give; the kernel never gave it.',
  proof: 'vm',
  plan: (subject, findings) =>
    editEntries(subject, findings, async (one, table) => {
      const options = mended(one);
      return options === null
        ? {
            kind: 'refused',
            reason: 'an option is unknown, and what it was meant to be is not clear',
          }
        : { kind: 'line', text: setField(lineText(table.text, one.entry.line), 3, options) };
    }),
};
