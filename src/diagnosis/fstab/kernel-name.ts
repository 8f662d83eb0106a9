import { plainText } from '../../host/plain-text.ts';
import type { Check } from '../check.ts';
import { absenceOf } from './absence.ts';
import { bootEffect } from './boot-effect.ts';
import { lineEvidence, readTable, subjectOfEntry } from './table.ts';

/**
 * Names that the kernel gives in the order of discovery. On the machine that they were written on they may
 * be right, and so they are told and not mended; one that is right on no machine is a missing device.
 */
export const kernelName: Check = {
  area: 'fstab',
  finds: ['fstab.kernel-name'],
  run: async (subject) => {
    const { devices, facts } = subject;
    if (devices === null) return [];
    const table = await readTable(subject);
    return table.entries.flatMap((one) => {
      const { entry, resolution } = one;
      if (resolution?.kind !== 'found' || resolution.how !== 'guessed') return [];
      if (bootEffect(facts.init, entry) === 'never') return [];
      if (absenceOf(one, subject, devices) !== null) return [];
      const spec = plainText(entry.spec);
      return [
        {
          id: 'fstab.kernel-name',
          severity: 'info' as const,
          title: `${spec} is a name that depends on the machine.`,
          subject: subjectOfEntry(one),
          evidence: [lineEvidence(table, entry.line)],
          meaning: `${plainText(resolution.note ?? '')}. On another machine, or after a disk was added, it may be another disk: a UUID is the same everywhere.`,
          repair: null,
        },
      ];
    });
  },
};
