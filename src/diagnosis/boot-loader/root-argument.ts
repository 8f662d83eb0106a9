import { shortName } from '../../devices/device.ts';
import { plainText } from '../../host/plain-text.ts';
import type { BootEntry } from '../../system-image/boot-entry.ts';
import { volumesOfCommandLine } from '../../system-image/command-line-volumes.ts';
import { type KernelName, parseKernelName } from '../../system-image/device-names.ts';
import { firstRoot } from '../../system-image/fstab.ts';
import { type Resolution, resolveSpec } from '../../system-image/resolve-spec.ts';
import { sameDevice } from '../../system-image/target-devices.ts';
import type { Check } from '../check.ts';
import type { Finding } from '../finding.ts';
import { rootArgument } from '../kernel/initramfs-need.ts';
import { familyOf, familyOfTransport, rootFamilies } from '../kernel/machine-bus.ts';
import { bootEntriesOf } from '../kernel/started-kernels.ts';
import type { Subject, SubjectDevices } from '../subject.ts';
import { entrySubject } from './entry-subject.ts';
import { lostSubvolume } from './root-flags.ts';
import { canBeEdited, wordEvidence } from './word-place.ts';

const resolve = (
  subject: Subject,
  devices: SubjectDevices,
  spec: string,
  options: string,
): Resolution => {
  const { facts } = subject;
  const rootSpec = firstRoot(facts.fstab)?.spec;
  return resolveSpec(
    { spec, fsType: devices.root.fsType ?? 'auto', options: [] },
    {
      devices: [devices.disk, ...devices.disks],
      rootDisk: devices.disk,
      crypttab: [...facts.crypttab, ...volumesOfCommandLine(options)],
      arrays: facts.arrays,
      volumes: devices.volumes,
      ...(rootSpec === undefined ? {} : { rootSpec }),
    },
  );
};

const isRoot = (devices: SubjectDevices, resolution: Resolution): boolean =>
  resolution.kind === 'found' &&
  (sameDevice(resolution.device, devices.root) ||
    (devices.root.uuid !== null && resolution.device.uuid === devices.root.uuid));

/** Names that stand for a root from the network or from memory (kernel: init/do_mounts.c). */
const noDevice = /^\/dev\/(?:nfs|cifs|ram\d*|root)$/;

type NameProblem = { readonly text: string; readonly severity: Finding['severity'] };

/** What is wrong with a name that the kernel gives by itself; null when the bus confirms it. */
const nameProblem = async (
  subject: Subject,
  { root, disk }: SubjectDevices,
  spec: string,
  { disk: name, partition }: KernelName,
): Promise<NameProblem | null> => {
  const certain = (text: string): NameProblem => ({ text, severity: 'critical' });
  if (root.partition !== null && partition !== null && partition !== root.partition.number) {
    return certain(`the root is partition ${root.partition.number}`);
  }
  if (['lvm', 'luks', 'raid'].includes(root.kind) && !/^md\d/.test(name)) {
    return certain(`the root is inside ${shortName(root)}`);
  }
  if (/^hd[a-z]/.test(name)) return certain('Linux has called no disk so for many years');
  const family = familyOf(spec);
  if (family === null) return null;
  // By what the disk is attached here says nothing of the machine that it goes back to.
  const own = await rootFamilies(subject, null);
  const [other] = own;
  if (other !== undefined && !own.has(family)) {
    return {
      text: `fstab or the last boot knows the disk as /dev/${other}…`,
      severity: 'warning',
    };
  }
  const here = familyOfTransport(disk.transport);
  if (here === family) return null;
  const text =
    here === null
      ? 'disks are called so on some buses only'
      : `here the disk is attached by ${disk.transport}, where disks have other names`;
  return { text, severity: 'info' };
};

const finding = (
  entry: BootEntry,
  spec: string,
  reason: string,
  severity: Finding['severity'],
): Finding => ({
  id: 'boot-loader.root-argument',
  severity,
  title: `The kernel is told root=${plainText(spec)}, and ${plainText(reason)}.`,
  subject: entrySubject(entry),
  evidence: [wordEvidence(entry, [`root=${spec}`], `root=${spec}`)],
  meaning:
    severity === 'info'
      ? 'It boots as long as the machine calls the disk so. On another one the initramfs waits for a device that never comes.'
      : 'The initramfs waits for a device that never comes and ends in its own shell, "(initramfs)", or the kernel panics.',
  repair: canBeEdited(entry, [`root=${spec}`]) ? 'boot-loader.set-root' : null,
});

const examine = async (
  subject: Subject,
  devices: SubjectDevices,
  entry: BootEntry,
): Promise<readonly Finding[]> => {
  const spec = rootArgument(entry.options);
  // Other kinds of root (the network, OSTree, ZFS) are named in ways that are not known here.
  if (spec === null || !/^(?:(?:PART)?(?:UUID|LABEL)=|\/dev\/)/.test(spec)) return [];
  if (noDevice.test(spec)) return [];
  const name = spec.startsWith('/dev/') ? parseKernelName(spec) : null;
  if (name !== null) {
    const problem = await nameProblem(subject, devices, spec, name);
    return problem === null ? [] : [finding(entry, spec, problem.text, problem.severity)];
  }
  const resolution = resolve(subject, devices, spec, entry.options);
  if (isRoot(devices, resolution)) return [];
  if (resolution.kind === 'missing') {
    // Behind a layer that is still closed anything may be.
    const unsure = resolution.reason.includes('not open yet');
    return unsure ? [] : [finding(entry, spec, resolution.reason, 'critical')];
  }
  return [];
};

/** The root's device is right, and the place on it is not. */
const examineFlags = async (subject: Subject, entry: BootEntry): Promise<readonly Finding[]> => {
  const option = await lostSubvolume(subject, entry.options);
  if (option === null) return [];
  const flags = `rootflags=${plainText(option)}`;
  const words = (entry.saved?.words ?? []).filter((word) => word.startsWith('rootflags='));
  return [
    {
      ...finding(entry, '', '', 'critical'),
      title: `The kernel is told ${flags}, and the root's file system has no such subvolume.`,
      evidence: [wordEvidence(entry, words, flags)],
      ...(canBeEdited(entry, words) ? {} : { repair: null }),
      meaning: 'The root cannot be mounted: the boot ends in the shell of the initramfs.',
    },
  ];
};

/** Does the command line name the root? */
export const rootArgumentCheck: Check = {
  area: 'boot-loader',
  finds: ['boot-loader.root-argument'],
  run: async (subject) => {
    const { devices } = subject;
    if (devices === null) return [];
    const entries = (await bootEntriesOf(subject)).filter(({ isDefault }) => isDefault);
    const found = await Promise.all(
      entries.map(async (entry) => {
        const list = await examine(subject, devices, entry);
        const isRight = list.every(({ severity }) => severity === 'info');
        const flags = isRight ? await examineFlags(subject, entry) : [];
        return flags.length > 0 ? flags : list;
      }),
    );
    // Of two boot loaders that are installed one that starts is enough.
    const anyBoots = found.some((list) => list.every(({ severity }) => severity === 'info'));
    return found
      .flat()
      .map((one) =>
        anyBoots && one.severity !== 'info' ? { ...one, severity: 'info', repair: null } : one,
      );
  },
};
