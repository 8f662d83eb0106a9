import { isSeenToFail, type Proof, type ProofMethod } from '../verification/proof.ts';
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
  'what was changed (a file system, fstab, kernel, initramfs or boot loader) shows only in a boot from the disk itself';

const nothingShown = 'no boot shows what was changed';

/** The boot that shows what a set of repairs has mended. */
export const fittingProof = (applied: readonly AppliedRepair[]): ProofMethod | null => {
  const fits = new Set(applied.map(({ proof }) => proof));
  if (fits.has('vm')) return 'vm';
  return fits.has('container') ? 'container' : null;
};

/** What a container neither mounts nor starts (fstab's devices, kernel, initramfs, boot loader). */
const onlyInVm =
  /^\/(?:boot|efi|vmlinuz|initrd|\.autorelabel|(?:usr\/)?s?bin\/init|etc\/(?:fstab|crypttab|kernel|default\/grub|grub\.d|initramfs-tools|mkinitcpio|dracut|lvm|mdadm|selinux|sysconfig\/(?:grub|kernel))|(?:usr\/)?lib\/modules)(?:$|[/.])|^\/etc\/systemd\/system\/.*\.(?:mount|swap)(?:$|[/.])/;

/** The boot that shows what was changed by hand, by the paths that are different. */
export const fittingForPaths = (paths: readonly string[]): ProofMethod =>
  paths.some((path) => onlyInVm.test(path)) ? 'vm' : 'container';

/**
 * Decides which boot is watched after a change, and what that leaves unproven.
 *
 * @param fits the boot that shows what was changed; null when none does.
 * @param vmLacks what a VM needs and is not there; null when a VM can be had.
 */
export const planProof = (
  wish: ProofWish,
  fits: ProofMethod | null,
  vmLacks: string | null,
): ProofPlan => {
  if (wish === 'none') return { method: null, notProven: 'no proof was asked for' };
  if (wish === 'vm') return { method: 'vm', notProven: null };
  if (wish === 'container') {
    return { method: 'container', notProven: fits === 'vm' ? tooLittle : null };
  }
  if (fits === null) {
    return { method: null, notProven: nothingShown };
  }
  if (fits === 'vm' && vmLacks !== null) {
    return { method: 'container', notProven: `${tooLittle}, and ${vmLacks}` };
  }
  return { method: fits, notProven: null };
};

export type LayerProofPlan = ProofPlan & {
  /** The layer must not be committed without a question: what it came to was not seen. */
  readonly isMissing: boolean;
};

/**
 * The same for a layer, which is written to the disk only if it boots: what no boot shows is watched
 * in a container all the same.
 */
export const planLayerProof = (
  wish: ProofWish,
  fits: ProofMethod | null,
  vmLacks: string | null,
): LayerProofPlan => {
  if (wish === 'vm' && vmLacks !== null) {
    return { method: null, notProven: vmLacks, isMissing: true };
  }
  if (wish === 'auto' && fits === null) {
    return { method: 'container', notProven: nothingShown, isMissing: false };
  }
  const plan = planProof(wish, fits, vmLacks);
  return { ...plan, isMissing: wish !== 'none' && plan.notProven !== null };
};

/** What a boot that was watched came to. */
export type ProofResult = {
  readonly proof: Proof | null;
  /** The boot was watched that shows what was changed, and it reached its end. */
  readonly proven: boolean;
  /** Why nothing is proven; null when it is, or when the boot failed. */
  readonly notProven: string | null;
};

/** @param notProven what the plan leaves unproven, or why nothing was watched. */
export const proofResult = (proof: Proof | null, notProven: string | null): ProofResult => {
  const why = proof?.notJudged ?? (isSeenToFail(proof) ? null : notProven);
  return { proof, proven: proof?.boots === true && why === null, notProven: why };
};
