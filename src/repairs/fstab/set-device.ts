import { evidentReplacement, specFor } from '../../diagnosis/fstab/replacement.ts';
import { lineText, setField } from '../../system-image/edit-fields.ts';
import type { Repair } from '../repair.ts';
import { editEntries } from './edit-table.ts';

/** Lets a line name the file system that it can only mean. */
export const setDevice: Repair = {
  id: 'fstab.set-device',
  stage: 'fstab',
  title: 'Name the right file system in fstab',
  why: 'The line names a file system that does not exist, and exactly one attached file system can be meant: the one that the system was found on, or the only one of that type that no line names and whose mount point is empty.',
  risk: 'The line then mounts that file system. Nothing on it is changed.',
  proof: 'vm',
  plan: (subject, findings) =>
    editEntries(subject, findings, async (one, table) => {
      const device = one.isRoot
        ? (subject.devices?.root ?? null)
        : await evidentReplacement(subject, table, one);
      const spec = device === null ? null : specFor(device, one.entry.spec, subject);
      return spec === null
        ? { kind: 'refused', reason: 'no attached file system is the only one that can be meant' }
        : { kind: 'line', text: setField(lineText(table.text, one.entry.line), 0, spec) };
    }),
};
