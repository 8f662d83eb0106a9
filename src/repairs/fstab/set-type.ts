import { declaredTypeFor } from '../../diagnosis/fstab/file-system-type.ts';
import { lineText, setField } from '../../system-image/edit-fields.ts';
import type { Repair } from '../repair.ts';
import { editEntries } from './edit-table.ts';

/** Lets a line say the file system type that is on its device. */
export const setType: Repair = {
  id: 'fstab.set-type',
  stage: 'fstab',
  title: 'Set the file system type in fstab to the one on the device',
  why: 'The kernel refuses to mount a file system as another type. What is on the device was read from the device itself.',
  risk: 'None: only the type field of this line is changed.',
  proof: 'vm',
  plan: (subject, findings) =>
    editEntries(subject, findings, async ({ entry, resolution }, table) => {
      const actual = resolution?.kind === 'found' ? (resolution.device.fsType ?? '') : '';
      const fsType = actual === '' ? null : declaredTypeFor(actual);
      return fsType === null
        ? { kind: 'refused', reason: 'the device has no file system that can be mounted' }
        : { kind: 'line', text: setField(lineText(table.text, entry.line), 2, fsType) };
    }),
};
