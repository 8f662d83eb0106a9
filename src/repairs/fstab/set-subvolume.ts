import { lineText, setField } from '../../system-image/edit-fields.ts';
import type { Repair } from '../repair.ts';
import { editEntries } from './edit-table.ts';

/** Lets a line name its subvolume by the name alone. */
export const setSubvolume: Repair = {
  id: 'fstab.set-subvolume',
  stage: 'fstab',
  title: 'Name the btrfs subvolume in fstab by its name alone',
  why: 'The line gives a name and an id that mean two subvolumes, and the kernel then mounts neither. The id is that of a subvolume that was replaced; the name was looked up and is there.',
  risk: 'None: the line mounts what has the name.',
  proof: 'vm',
  plan: (subject, findings) =>
    editEntries(subject, findings, async ({ entry }, table) => ({
      kind: 'line',
      text: setField(
        lineText(table.text, entry.line),
        3,
        entry.options.filter((option) => !option.startsWith('subvolid=')).join(','),
      ),
    })),
};
