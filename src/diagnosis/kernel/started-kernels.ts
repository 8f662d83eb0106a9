import { oncePer } from '../../host/once-per.ts';
import { type BootEntry, findBootEntries } from '../../system-image/boot-entry.ts';
import type { Subject } from '../subject.ts';

/** The menu of the boot loaders, read once for all checks of a system. */
export const bootEntriesOf = oncePer(
  ({ files }: Subject) => files,
  ({ files }) => findBootEntries(files),
);

/** A kernel that is started when nobody touches a key. */
export type StartedKernel = {
  /** Path of the system. */
  readonly image: string;
  readonly version: string;
  /** Paths of the system; null for one that is not there, with its name as the entry has it. */
  readonly initrds: readonly { readonly name: string; readonly path: string | null }[];
  /** What the kernel is told; null when no entry says. */
  readonly options: string | null;
  /** Null when no menu could be read: then it is the newest kernel. */
  readonly entry: BootEntry | null;
};

const versionOf = (subject: Subject, image: string): string =>
  subject.facts.kernels.find((kernel) => kernel.image === image)?.version ??
  image.replace(/^.*\/(?:vmlinuz|vmlinux|bzImage|Image|linux|kernel)-/, '');

const ofEntry = (subject: Subject, entry: BootEntry, image: string): StartedKernel => ({
  image,
  version: versionOf(subject, image),
  initrds: entry.initrds.map((name, index) => ({ name, path: entry.initrdPaths[index] ?? null })),
  options: entry.options,
  entry,
});

const newest = ({ facts }: Subject): readonly StartedKernel[] => {
  const [kernel] = facts.kernels;
  // Without a boot loader the kernel may come from outside, as for containers and small machines.
  if (kernel === undefined || facts.bootLoaders.length === 0) return [];
  const { image, version, initramfs } = kernel;
  const initrds = initramfs === null ? [] : [{ name: initramfs, path: initramfs }];
  return [{ image, version, initrds, options: null, entry: null }];
};

/**
 * The kernels that the boot loaders start by themselves: one for each that has a menu, otherwise
 * the newest one. A kernel whose image is missing is none of them.
 */
export const startedKernels = async (subject: Subject): Promise<readonly StartedKernel[]> => {
  const entries = await bootEntriesOf(subject);
  if (entries.length === 0) return newest(subject);
  return entries.flatMap((entry) =>
    entry.isDefault && entry.kernelPath !== null ? [ofEntry(subject, entry, entry.kernelPath)] : [],
  );
};

/**
 * How bad it is when a kernel of these does not boot: where two boot loaders are installed it
 * cannot be told which one the firmware starts.
 */
export const severityAmong = (broken: number, all: number): 'critical' | 'warning' =>
  broken === all ? 'critical' : 'warning';
