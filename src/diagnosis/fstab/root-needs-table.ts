import { bootEntriesOf } from '../kernel/started-kernels.ts';
import type { Subject } from '../subject.ts';

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

/**
 * Whether the root stays read-only when fstab does not make it writable. The kernel mounts it
 * read-only unless it is told `rw`, and only the line for / in fstab changes that later
 * (systemd-remount-fs.service(8), checkroot of sysvinit). Where no command line is found, a system
 * with a kernel is taken for one of the usual kind.
 */
export const rootNeedsTable = async (subject: Subject): Promise<boolean> => {
  if (subject.devices === null) return false;
  if (!(await startsByItself(subject))) return false;
  const lines = (await bootEntriesOf(subject)).map(({ options }) => options);
  if (lines.some((line) => ownRoot.test(line))) return false;
  return lines.length === 0 || lines.some((line) => !isWritable(line));
};
