import { plainText } from '../../host/plain-text.ts';
import { kernelImageDamage } from '../../system-image/kernel-image.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { severityAmong, startedKernels } from './started-kernels.ts';

const damageOf = async (subject: Subject): Promise<readonly Finding[]> => {
  const { host, files, facts } = subject;
  const kernels = await startedKernels(subject);
  const broken = await Promise.all(
    kernels.map(async (kernel) => ({
      kernel,
      reason: await kernelImageDamage(host, files, kernel.image, facts.architecture, true),
    })),
  );
  const severity = severityAmong(
    broken.filter(({ reason }) => reason !== null).length,
    kernels.length,
  );
  return broken.flatMap(({ kernel, reason }) =>
    reason === null
      ? []
      : [
          {
            id: 'kernel.image-damaged',
            severity,
            title: `The kernel ${plainText(kernel.image)} is damaged: ${reason}.`,
            subject: kernel.image,
            evidence: [
              fileEvidence(kernel.image, null, reason),
              ...(kernel.entry === null
                ? []
                : [fileEvidence(kernel.entry.path, kernel.entry.kernelLine, 'starts it')]),
            ],
            meaning:
              'The boot loader says "invalid magic number" or "premature end of file", or the screen stays black after "Loading Linux".',
            repair: 'kernel.restore-image',
          },
        ],
  );
};

/** Is the kernel that is started a whole one? */
export const kernelImageCheck: Check = {
  area: 'kernel',
  finds: ['kernel.image-damaged'],
  run: async (subject) => {
    const found = await damageOf(subject);
    // Two loaders may start the same file.
    return [...new Map(found.map((finding) => [finding.subject, finding])).values()];
  },
};
