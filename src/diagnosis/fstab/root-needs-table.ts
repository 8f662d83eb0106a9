import { flattenDevice } from '../../devices/device.ts';
import { rootTypes } from '../../system-image/partition-types.ts';
import { unifiedCommandLine } from '../../system-image/unified-image.ts';
import { bootEntriesOf } from '../kernel/started-kernels.ts';
import type { Subject, SubjectDevices } from '../subject.ts';

/** The last word counts. */
export const isWritable = (options: string): boolean => {
  const words = options.split(/\s+/);
  return words.lastIndexOf('rw') > words.lastIndexOf('ro');
};

/** Systems that put their root together by themselves: OSTree, NixOS, live media, overlays. */
const ownRoot = /\b(?:ostree=|init=\/nix\/|boot=(?:live|casper)|rd\.live|overlayroot)/;

/** What only a system has that is started by a boot loader of its own, and no container. */
const signs = [
  '/etc/default/grub',
  '/boot/grub',
  '/boot/grub2',
  '/boot/loader',
  '/etc/kernel/cmdline',
];

/** Whether it has what only a system with a kernel of its own has, and no container. */
export const startsByItself = async (subject: Subject): Promise<boolean> => {
  // A separate /boot is not mounted when the table is gone: its kernels have left their modules,
  // and where those are gone as well, the boot loader has left its settings. What the disk has says
  // nothing: a container's root may lie on a disk that starts another system.
  const modules = (await subject.files.list('/lib/modules')) ?? [];
  if (subject.facts.kernels.length > 0 || modules.length > 0) return true;
  const found = await Promise.all(signs.map((path) => subject.files.entry(path)));
  return found.some((entry) => entry !== null);
};

const kernelSettings = '/etc/kernel/cmdline';

type CommandLines = {
  readonly lines: readonly string[];
  /** False when neither a menu nor an image was seen: the lines are then only what new ones get. */
  readonly seen: boolean;
};

/**
 * What the kernel is told, by all that is known to start: entries of menus, else unified images, and
 * for those without a line of their own, or where neither is seen, what kernel-install and mkinitcpio
 * put into them. An image without any line is told nothing, which is an empty text.
 */
const commandLines = async (subject: Subject): Promise<CommandLines> => {
  const entries = await bootEntriesOf(subject);
  if (entries.length > 0) return { lines: entries.map(({ options }) => options), seen: true };
  const text = (await subject.files.read(kernelSettings, 64 * 1024)) ?? '';
  const setting = text.replace(/^\s*#.*$/gm, '').trim();
  const images = subject.facts.kernels.filter(({ image }) => /\.efi$/i.test(image));
  if (images.length === 0) return { lines: setting === '' ? [] : [setting], seen: false };
  const lines = await Promise.all(
    images.map(async ({ image }) => (await unifiedCommandLine(subject.files, image)) ?? setting),
  );
  return { lines, seen: true };
};

/**
 * Whether systemd finds the root by the type of its partition: then it makes it writable as well,
 * unless the command line has `ro` or `rw` (systemd-gpt-auto-generator(8), from version 246 on).
 */
const isFoundByType = ({ facts }: Subject, { root, disks }: SubjectDevices): boolean =>
  facts.init === 'systemd' &&
  (facts.systemdVersion ?? 246) >= 246 &&
  disks
    .flatMap(flattenDevice)
    .filter(({ partition }) => rootTypes.has(partition?.type?.toLowerCase() ?? ''))
    .some((device) => flattenDevice(device).some((one) => one.path === root.path));

const saysHow = (options: string): boolean => /(?:^|\s)r[ow](?:\s|$)/.test(options);

/** GRUB's entries have `ro` unless somebody took it out. */
const hasGrub = async ({ files }: Subject): Promise<boolean> => {
  const found = await Promise.all(
    ['/etc/default/grub', '/boot/grub', '/boot/grub2'].map((path) => files.entry(path)),
  );
  return found.some((entry) => entry !== null);
};

/** `unsure`: what the kernel is told is not seen, and systemd may find the root by itself. */
export type RootNeed = 'no' | 'unsure' | 'certain';

/**
 * Whether the root stays read-only when fstab does not make it writable. The kernel mounts it
 * read-only unless it is told `rw`, and only the line for / in fstab changes that later
 * (systemd-remount-fs.service(8), checkroot of sysvinit), or systemd where it finds the root by its
 * type. Where no command line is found, a system with a kernel is taken for one of the usual kind.
 */
export const rootNeed = async (subject: Subject): Promise<RootNeed> => {
  const { devices } = subject;
  // ostree-prepare-root mounts a deployment; its fstab may be empty.
  if (devices === null || subject.deployment !== '') return 'no';
  if (!(await startsByItself(subject))) return 'no';
  const { lines, seen } = await commandLines(subject);
  if (lines.some((line) => ownRoot.test(line))) return 'no';
  if (lines.some((line) => saysHow(line) && !isWritable(line))) return 'certain';
  if (lines.length > 0 && lines.every(isWritable)) return 'no';
  if (!isFoundByType(subject, devices)) return 'certain';
  if (seen) return 'no';
  return (await hasGrub(subject)) ? 'certain' : 'unsure';
};

/** The same for what counts also when it is not certain. */
export const rootNeedsTable = async (subject: Subject): Promise<boolean> =>
  (await rootNeed(subject)) !== 'no';
