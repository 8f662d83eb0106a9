import type { BootStage, Firmware, VmBus } from '../proof.ts';

export const vmFirmwares = ['auto', 'bios', 'uefi', 'both'] as const;

/** `auto`: what the disks are prepared for, which may be both. */
export type VmFirmware = (typeof vmFirmwares)[number];

export type VmDisk = {
  /** Block device or raw image file. Opened read-only, so it may be write-protected. */
  readonly path: string;
  /** What the disk says about itself, for links in /dev/disk/by-id; null for one made up. */
  readonly serial: string | null;
};

/** The system's own kernel as its boot loader starts it, copied off the disk. */
export type OwnKernel = {
  /** Files of the rescue host. */
  readonly kernel: string;
  readonly initramfs: string | null;
  /** As the boot loader's default entry has it, for instance `root=UUID=… ro quiet`. */
  readonly commandLine: string;
};

/** A stage that was passed, told while the machine runs. */
export type VmProgress = {
  readonly start: 'disk' | 'kernel';
  readonly firmware: Firmware;
  readonly stage: BootStage;
  /** Since this run started. */
  readonly seconds: number;
};

export type VmRequest = {
  /** All disks of the system in the order in which the firmware tries them. */
  readonly disks: readonly VmDisk[];
  readonly bus: VmBus;
  readonly firmware: VmFirmware;
  /** With Microsoft's keys enrolled and enforced; implies UEFI. */
  readonly secureBoot: boolean;
  /** False: the machine has no network card at all. True: QEMU's user networking. */
  readonly network: boolean;
  /** As `uname -m` says; null when not known. Only x86 is started. */
  readonly architecture: string | null;
  /** Null when it is not known: a system whose console is not serial then cannot be judged. */
  readonly ownKernel: OwnKernel | null;
  /** The system's default target, for the proof; null when it has none. */
  readonly target: string | null;
  /**
   * Typed where the system asks for a passphrase, one after the other, unless it has a network:
   * what the disk runs could send on what it is told.
   */
  readonly passphrases: readonly string[];
  /** Seconds for one run until it counts as hanging; null for the default of the accelerator. */
  readonly timeoutSeconds: number | null;
  /**
   * An empty directory of the session for overlays, sockets and firmware variables, which grows by
   * what the machine writes. Its contents are removed again.
   */
  readonly scratch: string;
  /** Directory that keeps the pictures of the screen. */
  readonly keep: string;
  /** Directory for what is found out about this machine until it boots again (whether KVM works). */
  readonly machineFacts: string;
  readonly signal?: AbortSignal;
  readonly onStage?: (progress: VmProgress) => void;
};
