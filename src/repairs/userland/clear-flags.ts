import { planned } from '../plan.ts';
import type { Repair } from '../repair.ts';

export const clearFlagsRepair: Repair = {
  id: 'userland.clear-flags',
  // Before all others that write to these files: not even root may change them.
  stage: 'file-system',
  title: 'Clear the immutable and append-only flags',
  why: 'With them not even root can change what the boot and packages write, so services and upgrades fail. Files that people protect on purpose keep them, unless this repair is named.',
  risk: 'If somebody set them to protect the file, that protection is gone; chattr +i sets it again.',
  proof: 'none',
  plan: async (_subject, findings) =>
    planned(
      findings.map(({ subject: path }) => ({
        kind: 'set-attributes',
        path,
        attributes: {},
        clearFlags: ['immutable', 'append-only'],
      })),
    ),
};
