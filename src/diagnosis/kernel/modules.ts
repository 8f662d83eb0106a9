import { plainText } from '../../host/plain-text.ts';
import { modulesDirectory } from '../../system-image/kernel-modules.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { type StartedKernel, startedKernels } from './started-kernels.ts';

/** False for a kernel that was built with everything in it. Debian and Fedora ship the file. */
const usesModules = async ({ files }: Subject, version: string): Promise<boolean> =>
  /^CONFIG_MODULES=y$/m.test((await files.read(`/boot/config-${version}`)) ?? '');

const missing = async (subject: Subject, version: string): Promise<readonly Finding[]> => {
  // Without the kernel's configuration a directory that is not there says nothing.
  if (!(await usesModules(subject, version))) return [];
  const directory = `/lib/modules/${version}`;
  return [
    {
      id: 'kernel.modules-missing',
      severity: 'critical',
      title: `The modules of the kernel ${plainText(version)}, which is started, are missing.`,
      subject: version,
      evidence: [
        fileEvidence(directory, null, 'is missing'),
        fileEvidence(`/boot/config-${version}`, null, 'CONFIG_MODULES=y'),
      ],
      meaning:
        'Beyond what the initramfs holds no driver can be loaded: no network, and file systems of other types (the EFI system partition) are not mounted, which ends in emergency mode.',
      repair: 'kernel.start-another',
    },
  ];
};

const listed = ['modules.dep', 'modules.alias'] as const;

const withoutIndex = async (
  { files }: Subject,
  version: string,
  directory: string,
): Promise<readonly Finding[]> => {
  const hasModules = await files.isDirectory(`${directory}/kernel`);
  // depmod writes a binary form beside each: modprobe takes either.
  const filled = await Promise.all(
    listed.flatMap((name) => [
      files.isFilled(`${directory}/${name}`),
      files.isFilled(`${directory}/${name}.bin`),
    ]),
  );
  const absent = listed.filter((_, index) => !filled[2 * index] && !filled[2 * index + 1]);
  if (!hasModules || absent.length === 0) return [];
  return [
    {
      id: 'kernel.modules-index',
      severity: 'critical',
      title: `The list of the modules of ${plainText(version)} (${absent.join(', ')}) is missing or empty.`,
      subject: version,
      evidence: absent.map((name) =>
        fileEvidence(`${directory}/${name}`, null, 'is missing or empty'),
      ),
      meaning:
        'modprobe and udev find no module: beyond what the initramfs holds no driver is loaded, and an initramfs that is made now holds none.',
      repair: 'kernel.list-modules',
    },
  ];
};

const check = async (subject: Subject, { version }: StartedKernel): Promise<readonly Finding[]> => {
  const directory = await modulesDirectory(subject.files, version);
  return directory === null ? missing(subject, version) : withoutIndex(subject, version, directory);
};

/** Can the kernel that is started load its drivers? */
export const modulesCheck: Check = {
  area: 'kernel',
  finds: ['kernel.modules-missing', 'kernel.modules-index'],
  run: async (subject) => {
    const kernels = await startedKernels(subject);
    const versions = new Map(kernels.map((kernel) => [kernel.version, kernel]));
    return (
      await Promise.all([...versions.values()].map((kernel) => check(subject, kernel)))
    ).flat();
  },
};
