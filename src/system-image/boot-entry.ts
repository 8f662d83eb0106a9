import { readSystemdBootEntries } from './bls-menu.ts';
import { readGrubMenu } from './grub-menu.ts';
import type { SystemFiles } from './system-files.ts';

/** How a boot loader finds the file system that a path of an entry starts in. */
export type EntryPlace =
  | { readonly by: 'uuid' | 'label' | 'file'; readonly value: string }
  /** GRUB's name of a device, for instance `lvm/vg0-root` or `hd0,gpt3`. */
  | { readonly by: 'device'; readonly value: string };

/** One line of a boot loader's menu that starts a Linux kernel. */
export type BootEntry = {
  readonly loader: 'grub' | 'systemd-boot';
  readonly title: string;
  /** GRUB's `--id` or the name of the entry's file without its ending. */
  readonly id: string | null;
  /** The kernel's path as the entry has it. */
  readonly kernel: string;
  /** The same as a path of the system; null when there is no such file. */
  readonly kernelPath: string | null;
  readonly initrds: readonly string[];
  /** In the order of `initrds`. */
  readonly initrdPaths: readonly (string | null)[];
  /** The kernel's command line. */
  readonly options: string;
  /**
   * Those of its words that stand in GRUB's environment block and not in the entry, as RHEL 8 has it;
   * null when the entry names no such variable.
   */
  readonly saved: { readonly path: string; readonly words: readonly string[] } | null;
  /** What starts when nobody touches a key. At most one entry of a loader is it. */
  readonly isDefault: boolean;
  /** Where it stands: path of the system and line from 1. */
  readonly path: string;
  readonly line: number;
  /** Lines of `linux` and `initrd` in that file; null when there is none. */
  readonly kernelLine: number;
  readonly initrdLine: number | null;
  /** Null when it says nothing: the place where the boot loader itself was found. */
  readonly places: readonly (EntryPlace & { readonly line: number })[];
};

/**
 * What the boot loaders of a system would start, read from their configuration: GRUB's grub.cfg
 * with its `blscfg`, and systemd-boot's entries. Unified kernel images are no files of text and are
 * among `facts.kernels`.
 */
export const findBootEntries = async (files: SystemFiles): Promise<readonly BootEntry[]> => {
  const [grub, bls] = await Promise.all([readGrubMenu(files), readSystemdBootEntries(files)]);
  return [...(grub?.entries ?? []), ...bls];
};
