import type { Device } from '../devices/device.ts';
import type { Host } from '../host/host.ts';
import type { Step } from '../host/step.ts';

export type LayerMode = 'read-only' | 'read-write';

/** What a layer may look at when it says what it could open. */
export type LayerContext = {
  readonly host: Host;
  /** Trees of the disks that belong to the target, as they are now. */
  readonly ours: readonly Device[];
  /** Other attached disks that nobody uses: one with a missing member may be drawn in. */
  readonly free: readonly Device[];
  /** All devices of the host, for names that are taken. */
  readonly all: readonly Device[];
  readonly mode: LayerMode;
  /** Session id, part of the names that a layer gives. */
  readonly session: string;
  /** Kept with the session, on disk: for sparse copies. */
  readonly directory: string;
  /** LUKS headers that lie elsewhere than on their device. */
  readonly luksHeaders: readonly LuksHeader[];
};

/** A detached LUKS header: a file or a block device. */
export type LuksHeader = {
  readonly path: string;
  /** The device that it belongs to, by any of its names; null when there is only one that fits. */
  readonly device: string | null;
};

/** What only the person can allow: each has an option of its own, none is covered by `--yes`. */
export type Consent = 'degraded' | 'partial' | 'rename-clone';

/** What must be had before something is opened. */
export type Need =
  | { readonly kind: 'nothing' }
  /** `why` says what is missing and what opening it all the same means. */
  | { readonly kind: 'consent'; readonly consent: Consent; readonly why: string }
  | { readonly kind: 'passphrase' }
  /** It cannot be opened at all, and the person is told why. */
  | { readonly kind: 'impossible'; readonly why: string; readonly code?: ClosedLayer['code'] };

/** How a secret was given: its bytes go to cryptsetup on standard input, or a file is named. */
export type Secret =
  | { readonly kind: 'passphrase'; readonly text: string }
  | { readonly kind: 'key-file'; readonly path: string };

/** Writes a step's undo to the journal and runs its commands: `Session.perform`. */
export type Perform = (step: Step) => Promise<number>;

/** A btrfs over several devices, or a clone of one: what its mounts must name. */
export type BtrfsVolume = {
  /** As fstab names it, whatever the UUID is for the time of the session. */
  readonly fsid: string;
  /** Node that is mounted. */
  readonly device: string;
  /** All devices that the kernel is to use; each mount names them. */
  readonly members: readonly string[];
  /** Nodes on which a look at the devices shows this file system. */
  readonly shownOn: readonly string[];
  /** Other devices with the same UUIDs, which no program may take for its own. */
  readonly copies: readonly string[];
  /** A device is missing, and the person allowed the mount without it. */
  readonly degraded: boolean;
};

/** One thing that a layer can open now: an array, a volume group, an encrypted volume. */
export type Opening = {
  /** Tells it from every other one; the same one is tried once. */
  readonly key: string;
  readonly layer: 'partitions' | 'md' | 'luks' | 'lvm' | 'btrfs';
  /** As a person calls it: "array md0 of web-3 (RAID 1, 1 of 2 disks)". */
  readonly what: string;
  /** Kernel nodes that it stands on. Those on disks that were not the target's are drawn in. */
  readonly devices: readonly string[];
  /**
   * Nothing is opened while something of a lower rank can be: 0 what is complete, 1 what is
   * degraded, 2 what is partial. So no physical volume is taken from a lone half of a mirror.
   */
  readonly rank: 0 | 1 | 2;
  readonly need: Need;
  /** The commands by which it is opened in a mode, for plans and explanations. */
  readonly commands: (mode: LayerMode) => readonly (readonly string[])[];
  /**
   * Opens it. Every step has its undo.
   *
   * @param secret given when `need` is a passphrase.
   * @throws RescueError `WRONG_PASSPHRASE` when another one may be tried, `COMMAND_FAILED`, …
   */
  readonly open: (perform: Perform, secret: Secret | null) => Promise<void>;
  /**
   * Names that the target's own files use for what is opened, by the name that it has here
   * (`/dev/md127`, `/dev/mapper/…`): `/dev/md/0`, `/dev/vg0/root`, `/dev/disk/by-id/…`.
   */
  readonly aliases: Readonly<Record<string, readonly string[]>>;
  /** Of the layer btrfs: nothing appears in the tree, its mounts are made in another way. */
  readonly volume?: BtrfsVolume;
};

/** One kind of layer of the storage stack. */
export type Layer = {
  readonly name: Opening['layer'];
  /** What could be opened now, nothing that is open already. Reads only, and never a protected disk. */
  readonly probe: (context: LayerContext) => Promise<readonly Opening[]>;
};

/** Something that stays closed, with the reason as a sentence. */
export type ClosedLayer = {
  readonly what: string;
  readonly layer: Opening['layer'];
  readonly devices: readonly string[];
  readonly why: string;
  /** What opens it the next time, for instance `--degraded`; null when no option does. */
  readonly option: string | null;
  /** Code of the error when the target's system could not be found because of it. */
  readonly code:
    | 'ENCRYPTED'
    | 'WRONG_PASSPHRASE'
    | 'DEGRADED'
    | 'PARTIAL'
    | 'CLONE'
    | 'MISSING_PROGRAM'
    | 'CLOSED_LAYER';
};
