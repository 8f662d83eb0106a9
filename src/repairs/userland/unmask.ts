import { administratorUnits, findUnit, unitDirectories } from '../../system-image/systemd-units.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';

export const unmaskRepair: Repair = {
  id: 'userland.unmask',
  stage: 'userland',
  title: 'Unmask the units that every boot needs',
  why: 'A masked unit cannot be started by anything, and what requires it fails with it.',
  risk: 'The unit runs again as its package has it. If somebody masked it on purpose, what they wanted to prevent comes back.',
  proof: 'container',
  plan: async (subject, findings) => {
    const names = findings.map((finding) => finding.subject);
    const [masked, below] = await Promise.all([
      Promise.all(names.map((name) => findUnit(subject.files, name))),
      Promise.all(names.map((name) => findUnit(subject.files, name, unitDirectories.slice(1)))),
    ]);
    const lost = names.filter(
      (_, index) =>
        masked[index]?.path.startsWith(`${administratorUnits}/`) !== true ||
        (below[index]?.state !== 'file' && below[index]?.state !== 'link'),
    );
    if (lost.length > 0) {
      return refused(
        `The unit itself is not there below the mask: ${lost.join(', ')}.`,
        'Restore the unit from its package, then remove the mask.',
      );
    }
    return planned(
      names.map((name) => ({ kind: 'remove', path: `${administratorUnits}/${name}` })),
    );
  },
};
