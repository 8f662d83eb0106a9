import { builtinModules } from '../../system-image/kernel-modules.ts';
import type { Subject } from '../subject.ts';
import { rootNeeds } from './root-needs.ts';
import type { StartedKernel } from './started-kernels.ts';

/** The last one counts, as for the kernel. */
export const rootArgument = (options: string): string | null =>
  options
    .split(/\s+/)
    .findLast((word) => word.startsWith('root='))
    ?.slice('root='.length) ?? null;

/**
 * Why a kernel cannot mount this root by itself, in words; null when it can, or when that cannot be
 * told. The kernel knows no UUID of a file system and no layer (kernel: init/do_mounts.c): it finds
 * partitions by PARTUUID, PARTLABEL, and the names that it gives them.
 */
export const initramfsNeed = async (
  subject: Subject,
  { options, version }: StartedKernel,
): Promise<string | null> => {
  const { devices } = subject;
  if (devices === null) return null;
  const root = options === null ? null : rootArgument(options);
  if (root !== null && /^(?:UUID|LABEL)=/.test(root)) {
    return 'without one it does not know what root=UUID means';
  }
  if (root?.startsWith('/dev/mapper/')) return `without one there is no ${root}`;
  const needs = rootNeeds(devices);
  // lvm, cryptsetup and their like run in an initramfs only.
  if (needs.some(({ programs }) => programs.length > 0)) {
    return 'the root stands on layers that only an initramfs opens';
  }
  const builtin = await builtinModules(subject.files, version);
  const module = needs.find(({ modules }) => !modules.some((name) => builtin?.has(name) === true));
  return builtin === null || module === undefined ? null : `${module.what} is not built into it`;
};
