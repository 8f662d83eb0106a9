import type { ProofMethod } from '../verification/proof.ts';
import type { AppliedRepair } from './apply-repairs.ts';

/** `auto`: the proof that fits what was changed. */
export type ProofWish = 'auto' | 'none' | ProofMethod;

export type ProofPlan = {
  /** The boot that is watched; null for none. */
  readonly method: ProofMethod | null;
  /** Why what is watched proves nothing of what was changed; null when it does. */
  readonly notProven: string | null;
};

const tooLittle =
  'what was changed (fstab, kernel, initramfs or boot loader) shows only in a boot from the disk itself';

/** The boot that shows what a set of repairs has mended. */
export const fittingProof = (applied: readonly AppliedRepair[]): ProofMethod | null => {
  const fits = new Set(applied.map(({ proof }) => proof));
  if (fits.has('vm')) return 'vm';
  return fits.has('container') ? 'container' : null;
};

/**
 * Decides which boot is watched after a repair, and what that leaves unproven.
 *
 * @param applied none: nothing was mended, and the question is whether the system boots as it is.
 * @param vmLacks what a VM needs and this machine does not have; null when a VM can be had.
 */
export const planProof = (
  wish: ProofWish,
  applied: readonly AppliedRepair[],
  vmLacks: string | null,
): ProofPlan => {
  const fits = applied.length === 0 ? 'vm' : fittingProof(applied);
  if (wish === 'none') return { method: null, notProven: 'no proof was asked for' };
  if (wish === 'vm') return { method: 'vm', notProven: null };
  if (wish === 'container') {
    return { method: 'container', notProven: fits === 'vm' ? tooLittle : null };
  }
  if (fits === null) {
    return { method: null, notProven: 'no boot shows what was changed' };
  }
  if (fits === 'vm' && vmLacks !== null) {
    return { method: 'container', notProven: `${tooLittle}, and ${vmLacks}` };
  }
  return { method: fits, notProven: null };
};
