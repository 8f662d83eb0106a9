import { normalTarget } from '../../system-image/fstab.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';
import type { Subject } from '../subject.ts';
import { bootEntriesOf } from './started-kernels.ts';

/** A partition for /boot that could not be mounted hides the kernels and says nothing of them. */
export const bootIsHidden = ({ mounts, facts }: Subject): boolean => {
  const isBoot = ({ target }: { readonly target: string }) => normalTarget(target) === '/boot';
  const mounted = mounts.some((mount) => isBoot(mount) && mount.state === 'mount');
  return facts.fstab.some(isBoot) && !mounted;
};

/** Programs that a menu starts as if they were a kernel. */
const isKernel = (path: string): boolean => !/memtest|ipxe|netboot\.xyz/i.test(path);

/**
 * Whether there is no kernel: none under a name that is known, and none that a boot loader starts by
 * itself under another one (`HASH-bzImage` of NixOS).
 */
export const hasNoKernel = async (subject: Subject): Promise<boolean> => {
  const { facts, files } = subject;
  if (facts.kernels.length > 0) return false;
  const started = (await bootEntriesOf(subject)).flatMap(({ isDefault, kernelPath }) =>
    isDefault && kernelPath !== null && isKernel(kernelPath) ? [kernelPath] : [],
  );
  const filled = await Promise.all(started.map((path) => files.isFilled(path)));
  return !filled.includes(true);
};

/** Is there a kernel at all? */
export const kernelCheck: Check = {
  area: 'kernel',
  finds: ['kernel.none'],
  run: async (subject) => {
    const { facts, devices } = subject;
    // A system that is started from outside (a container, a microVM) has neither of both.
    const isStarted = facts.bootLoaders.length > 0;
    if (!isStarted || bootIsHidden(subject) || devices === null) return [];
    if (!(await hasNoKernel(subject))) return [];
    return [
      {
        id: 'kernel.none',
        severity: 'critical',
        title: 'There is no kernel: the boot loader has nothing to start.',
        subject: '/boot',
        evidence: [fileEvidence('/boot', null, 'holds no kernel image that is not empty')],
        meaning: 'The boot loader shows an empty menu or says that the kernel file is not found.',
        repair: 'kernel.restore-image',
      },
    ];
  },
};
