import { normalTarget } from '../../system-image/fstab.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';
import type { Subject } from '../subject.ts';

/** A partition for /boot that could not be mounted hides the kernels and says nothing of them. */
export const bootIsHidden = ({ mounts, facts }: Subject): boolean => {
  const isBoot = ({ target }: { readonly target: string }) => normalTarget(target) === '/boot';
  const mounted = mounts.some((mount) => isBoot(mount) && mount.state === 'mount');
  return facts.fstab.some(isBoot) && !mounted;
};

/** Is there a kernel at all? */
export const kernelCheck: Check = {
  area: 'kernel',
  finds: ['kernel.none'],
  run: async (subject) => {
    const { facts, devices } = subject;
    // A system that is started from outside (a container, a microVM) has neither of both.
    const isStarted = facts.bootLoaders.length > 0;
    if (facts.kernels.length > 0 || !isStarted || bootIsHidden(subject) || devices === null) {
      return [];
    }
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
