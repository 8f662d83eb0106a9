import { bootLeftovers } from '../../diagnosis/space/boot-leftovers.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';

/** Makes room in /boot by what nothing can start any more. */
export const orphanInitramfs: Repair = {
  id: 'space.orphan-initramfs',
  // Before what makes an initramfs anew.
  stage: 'file-system',
  title: 'Remove each initramfs whose kernel is gone',
  why: 'Without its kernel and modules it starts nothing, and the next initramfs needs the room.',
  risk: 'None that is known: only those go that no entry of the boot loader and no link names.',
  proof: 'none',
  plan: async (subject) => {
    const orphans = (await bootLeftovers(subject)).filter(({ mayGo }) => mayGo);
    if (orphans.length === 0) {
      return refused(
        'Every initramfs in /boot belongs to a kernel or is named by something.',
        'Remove kernels that are no longer used with the package manager.',
      );
    }
    return planned(orphans.map(({ path }) => ({ kind: 'remove', path })));
  },
};
