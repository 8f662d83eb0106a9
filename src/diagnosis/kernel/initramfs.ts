import { plainText } from '../../host/plain-text.ts';
import {
  hasProgram,
  type Initramfs,
  modulesIn,
  readInitramfs,
} from '../../system-image/initramfs.ts';
import { builtinModules } from '../../system-image/kernel-modules.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { initramfsNeed } from './initramfs-need.ts';
import { busNeeds, type RootNeed, rootNeeds } from './root-needs.ts';
import { type StartedKernel, severityAmong, startedKernels } from './started-kernels.ts';

const repair = 'kernel.make-initramfs';

const entryEvidence = ({ entry, image }: StartedKernel) =>
  entry === null
    ? fileEvidence(image, null, 'is the newest kernel')
    : fileEvidence(entry.path, entry.initrdLine ?? entry.kernelLine, `starts ${entry.kernel}`);

const missing = async (
  subject: Subject,
  kernel: StartedKernel,
): Promise<Omit<Finding, 'severity'> | null> => {
  const absent = kernel.initrds.find(({ path }) => path === null);
  if (absent !== undefined) {
    return {
      id: 'kernel.initramfs-missing',
      title: `The initramfs ${plainText(absent.name)} that the boot loader wants is missing.`,
      subject: kernel.version,
      evidence: [entryEvidence(kernel), fileEvidence(absent.name, null, 'is missing')],
      meaning:
        'The boot loader stops with "file not found", or the kernel starts without it and panics because it cannot mount the root.',
      repair,
    };
  }
  const need = kernel.initrds.length > 0 ? null : await initramfsNeed(subject, kernel);
  return need === null
    ? null
    : {
        id: 'kernel.initramfs-missing',
        title: `The kernel ${plainText(kernel.version)} has no initramfs, and ${need}.`,
        subject: kernel.version,
        evidence: [entryEvidence(kernel), fileEvidence(kernel.image, null, 'has no initramfs')],
        meaning: 'The kernel panics: "Unable to mount root fs on unknown-block".',
        repair,
      };
};

/** What an initramfs with these files lacks to reach the root. */
export const lacking = async (
  subject: Subject,
  kernel: StartedKernel,
  names: ReadonlySet<string>,
): Promise<{ readonly certain: readonly RootNeed[]; readonly bus: readonly RootNeed[] }> => {
  const builtin = await builtinModules(subject.files, kernel.version);
  const { devices } = subject;
  if (devices === null) return { certain: [], bus: [] };
  const modules = modulesIn(names).of(kernel.version);
  const isMissing = (need: RootNeed): boolean =>
    need.modules.length > 0
      ? // Without the list of what is built in nothing can be said of modules.
        builtin !== null && !need.modules.some((name) => builtin.has(name) || modules.has(name))
      : !need.programs.some((program) => hasProgram(names, program));
  return {
    certain: rootNeeds(devices).filter(isMissing),
    bus: busNeeds(devices).filter(isMissing),
  };
};

/** Needs in words. */
export const needWords = (needs: readonly RootNeed[]): string =>
  needs.map(({ what }) => what).join(', ');

const incomplete = async (
  subject: Subject,
  kernel: StartedKernel,
  path: string,
  names: ReadonlySet<string>,
): Promise<readonly (Omit<Finding, 'severity'> & { readonly onlyBus?: true })[]> => {
  const { certain, bus } = await lacking(subject, kernel, names);
  const versions = [...modulesIn(names).versions];
  const made = versions.length > 0 && !versions.includes(kernel.version);
  const finding = (needs: readonly RootNeed[], meaning: string) => ({
    id: 'kernel.initramfs-incomplete',
    title: `The initramfs ${path} lacks ${needWords(needs)}.`,
    subject: path,
    evidence: [
      fileEvidence(
        path,
        null,
        `has no ${needs.flatMap((need) => [...need.modules, ...need.programs]).join(' ')}`,
      ),
      ...(made
        ? [fileEvidence(path, null, `its modules are of kernel ${versions.join(', ')}`)]
        : []),
    ],
    meaning,
    repair,
  });
  if (certain.length > 0) {
    return [
      finding(certain, 'The root is not found: the boot ends in the shell of the initramfs.'),
    ];
  }
  return bus.length === 0
    ? []
    : [
        {
          ...finding(bus, 'On a machine that attaches the disk as this one does, it is not found.'),
          onlyBus: true,
        },
      ];
};

/** One initramfs of several may be microcode alone; together they must hold what is needed. */
const readAll = (subject: Subject, kernel: StartedKernel) =>
  Promise.all(
    kernel.initrds.flatMap(({ path }) =>
      path === null
        ? []
        : [readInitramfs(subject.host, subject.files, path).then((image) => ({ path, image }))],
    ),
  );

const damaged = (
  kernel: StartedKernel,
  path: string,
  image: Initramfs & { readonly kind: 'damaged' },
): Omit<Finding, 'severity'> => ({
  id: 'kernel.initramfs-damaged',
  title: `The initramfs ${plainText(path)} is damaged: ${image.reason}.`,
  subject: path,
  evidence: [fileEvidence(path, null, image.reason), entryEvidence(kernel)],
  meaning:
    'The kernel cannot unpack it and panics: "VFS: Unable to mount root fs" or "No working init found".',
  repair,
});

/** `onlyBus` and `notRead` say nothing certain of the boot. */
type Draft = Omit<Finding, 'severity'> & { readonly onlyBus?: true; readonly notRead?: true };

const notRead = (path: string, reason: string): Draft => ({
  id: 'kernel.initramfs-not-read',
  title: `The initramfs ${plainText(path)} was not looked into: ${reason}.`,
  subject: path,
  evidence: [fileEvidence(path, null, reason)],
  meaning: 'Whether it is whole and reaches the root is not known.',
  repair: null,
  notRead: true,
});

const examine = async (subject: Subject, kernel: StartedKernel): Promise<readonly Draft[]> => {
  const absent = await missing(subject, kernel);
  if (absent !== null) return [absent];
  const images = await readAll(subject, kernel);
  const broken = images.flatMap(({ path, image }) =>
    image.kind === 'damaged' ? [damaged(kernel, path, image)] : [],
  );
  if (broken.length > 0) return broken;
  const closed = images.flatMap(({ path, image }) =>
    image.kind === 'not-read' ? [notRead(path, image.reason)] : [],
  );
  if (images.length === 0 || closed.length > 0) return closed;
  const names = new Set(
    images.flatMap(({ image }) => (image.kind === 'whole' ? [...image.names] : [])),
  );
  return incomplete(subject, kernel, images.at(-1)?.path ?? kernel.image, names);
};

/** Is there an initramfs for what is started, is it whole, and does it reach the root? */
export const initramfsCheck: Check = {
  area: 'kernel',
  finds: [
    'kernel.initramfs-missing',
    'kernel.initramfs-damaged',
    'kernel.initramfs-incomplete',
    'kernel.initramfs-not-read',
  ],
  run: async (subject) => {
    // A unified image carries its own, in a section of the program file.
    const kernels = (await startedKernels(subject)).filter(({ image }) => !/\.efi$/i.test(image));
    const drafts = await Promise.all(kernels.map((kernel) => examine(subject, kernel)));
    const stops = ({ onlyBus, notRead: closed }: Draft) => onlyBus !== true && closed !== true;
    const broken = drafts.filter((list) => list.some(stops)).length;
    const known = new Map<string, Finding>();
    for (const { onlyBus, notRead: closed, ...draft } of drafts.flat()) {
      const certain = severityAmong(broken, kernels.length);
      const severity = closed === true ? 'info' : onlyBus === true ? 'warning' : certain;
      known.set(`${draft.id} ${draft.subject}`, { ...draft, severity });
    }
    return [...known.values()];
  },
};
