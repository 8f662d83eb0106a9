import type { Device } from '../devices/device.ts';
import type { Host } from '../host/host.ts';
import type { BtrfsVolume } from '../storage/layer.ts';
import type { SystemFacts } from '../system-image/system-facts.ts';
import type { SystemFiles } from '../system-image/system-files.ts';

/** What fstab names, and what became of it here. */
export type SubjectMount = {
  /** Mount point inside the system. */
  readonly target: string;
  readonly spec: string;
  /** Node among the attached disks; null when it was not found. */
  readonly device: string | null;
  readonly fsType: string;
  readonly options: readonly string[];
  /** `mount`: it is mounted below the root. Everything else says in `note` why not. */
  readonly state: 'mount' | 'missing' | 'ambiguous' | 'skipped';
  readonly note: string | null;
};

/** The devices that a system may mean by its names. */
export type SubjectDevices = {
  /** Where the root was found. */
  readonly root: Device;
  /** The disk that it is on. */
  readonly disk: Device;
  /** All attached disks that may belong to it, with everything on them. */
  readonly disks: readonly Device[];
  /** btrfs subvolume of the root; null for the top of the file system and for other types. */
  readonly subvolume: string | null;
  readonly volumes: readonly BtrfsVolume[];
};

export type InsideCommand = {
  /** Program and words as the system itself knows them: `/usr/sbin/sshd -t`. */
  readonly words: readonly string[];
  readonly timeoutSeconds?: number;
};

export type InsideResult = {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
};

/** A mounted system that is looked at. Nothing of it is ever written by a check. */
export type Subject = {
  readonly host: Host;
  /** Host directory of its root, with all parts that could be mounted below it. */
  readonly root: string;
  readonly files: SystemFiles;
  readonly facts: SystemFacts;
  /** Path of an OSTree deployment inside its file system; empty for any other root. */
  readonly deployment: string;
  /** The root first, then the rest in mount order; empty for a directory. */
  readonly mounts: readonly SubjectMount[];
  /** Null when the target is a directory: then nothing can be said of devices. */
  readonly devices: SubjectDevices | null;
  /**
   * Runs one of the system's own programs in a container of its own, without network, with nothing
   * writable but /run and /tmp. Null when nothing of the system can be run here (another
   * architecture, no loader): then a check must do without.
   */
  readonly runInside: (command: InsideCommand) => Promise<InsideResult | null>;
  /** Time of the look, for what expires. */
  readonly now: Date;
};
