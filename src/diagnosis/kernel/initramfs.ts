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
import { familyOfTransport, rootFamilies } from './machine-bus.ts';
import { anyDisk, busNeeds, type RootNeed, rootNeeds } from './root-needs.ts';
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

/** `atMost` is there when nothing certain can be said of the boot. */
type Draft = Omit<Finding, 'severity'> & { readonly atMost?: 'warning' | 'info' };

/** What an initramfs lacks to reach the root. */
type Lacking = {
  /** Whatever the machine is: the file system, the layers, drivers for disks at all. */
  readonly certain: readonly RootNeed[];
  /** Drivers for the root's disk as the system itself names it: fstab, command line, last boot. */
  readonly named: readonly RootNeed[];
  /** Drivers for the bus by which the disk is attached here, which may be another one than there. */
  readonly here: readonly RootNeed[];
};

/** What an initramfs with these files lacks to reach the root. */
export const lacking = async (
  subject: Subject,
  kernel: StartedKernel,
  names: ReadonlySet<string>,
): Promise<Lacking> => {
  const builtin = await builtinModules(subject.files, kernel.version);
  const { devices } = subject;
  if (devices === null) return { certain: [], named: [], here: [] };
  const modules = modulesIn(names).of(kernel.version);
  const isMissing = (need: RootNeed): boolean =>
    need.modules.length > 0
      ? // Without the list of what is built in nothing can be said of modules.
        builtin !== null && !need.modules.some((name) => builtin.has(name) || modules.has(name))
      : !need.programs.some((program) => hasProgram(names, program));
  const here = familyOfTransport(devices.disk.transport);
  return {
    certain: [...rootNeeds(devices), anyDisk].filter(isMissing),
    named: [...(await rootFamilies(subject, kernel.options))].flatMap(busNeeds).filter(isMissing),
    here: here === null ? [] : busNeeds(here).filter(isMissing),
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
): Promise<readonly Draft[]> => {
  const { certain, named, here } = await lacking(subject, kernel, names);
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
  if (named.length > 0) {
    const meaning =
      'The system names the disk of its root so, or had it so in its last boot: on such a machine the root is not found.';
    return [{ ...finding(named, meaning), atMost: 'warning' }];
  }
  if (here.length === 0) return [];
  const meaning =
    'It boots on the machine that it was made for. On one that attaches the disk as this one does the root is not found: have it made anew before such a move.';
  return [{ ...finding(here, meaning), atMost: 'info' }];
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

const notRead = (path: string, reason: string): Draft => ({
  id: 'kernel.initramfs-not-read',
  title: `The initramfs ${plainText(path)} was not looked into: ${reason}.`,
  subject: path,
  evidence: [fileEvidence(path, null, reason)],
  meaning: 'Whether it is whole and reaches the root is not known.',
  repair: null,
  atMost: 'info',
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
    const stops = ({ atMost }: Draft) => atMost === undefined;
    const broken = drafts.filter((list) => list.some(stops)).length;
    const known = new Map<string, Finding>();
    for (const { atMost, ...draft } of drafts.flat()) {
      const severity = atMost ?? severityAmong(broken, kernels.length);
      known.set(`${draft.id} ${draft.subject}`, { ...draft, severity });
    }
    return [...known.values()];
  },
};
