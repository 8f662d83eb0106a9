import { z } from 'zod';
import type { Host } from '../host/host.ts';

export const checkOutcomeSchema = z.enum(['clean', 'repaired', 'damaged', 'skipped']);

/** The result of looking at one file system; the JSON of `check` is made of these. */
export const checkResultSchema = z.object({
  /** The device as the person knows it. */
  device: z.string(),
  fsType: z.string(),
  /**
   * `clean` only when the checker has really looked and found nothing, and no journal or log waits
   * to be replayed. `skipped` always says why in `detail`.
   */
  outcome: checkOutcomeSchema,
  /** One sentence: what was found, what was done, what to do next. */
  detail: z.string(),
  /** A journal, a log or the mark of a FAT waits: the system was cut off while writing. */
  needsReplay: z.boolean(),
  /** Lines of the checker that are the evidence, at most 20, without control characters. */
  evidence: z.array(z.string()).readonly(),
  /** e2fsck's undo file, played back by `e2undo UNDOFILE DEVICE`; null when none was written. */
  undoFile: z.string().nullable(),
});

export type CheckResult = Readonly<z.infer<typeof checkResultSchema>>;

/** Last resorts that may lose data. Each needs the person's own word. */
export type LastResorts = {
  /** `xfs_repair -L`: throws the XFS log away. */
  readonly zeroXfsLog: boolean;
  /** `btrfs check --repair`. */
  readonly btrfsRepair: boolean;
  /** e2fsck with a backup superblock: true, or the block number of the backup. */
  readonly backupSuperblock: boolean | number;
};

export type CheckProgress = {
  /** What the checker does now, for instance "pass 2 of 5". */
  readonly message: string;
  /** Between 0 and 1; null when the checker does not tell. */
  readonly fraction: number | null;
};

/** What a check or repair may use. The file system is not mounted while it runs. */
export type CheckContext = {
  readonly host: Host;
  /** Block device node. */
  readonly device: string;
  /** blkid's TYPE. */
  readonly fsType: string;
  /** An existing private directory for throwaway copies of metadata; removed by the caller. */
  readonly scratchDirectory: string;
  readonly onProgress: (progress: CheckProgress) => void;
  readonly signal?: AbortSignal;
  /** Of a btrfs over several devices, or with copies attached. */
  readonly btrfs?: BtrfsParts;
};

/** What a btrfs consists of here, where one device does not say it all. */
export type BtrfsParts = {
  readonly devices: readonly string[];
  /** Other devices with the same UUIDs, which must not be looked at. */
  readonly copies: readonly string[];
  readonly degraded: boolean;
};

export type RepairContext = CheckContext & {
  /** A directory that is kept with the session, for e2fsck's undo file. */
  readonly keepDirectory: string;
  /**
   * Called before anything is written, with the file that will keep what is overwritten; not at all
   * where there is none.
   */
  readonly onUndoFile: (undoFile: string) => Promise<void>;
  readonly lastResorts: LastResorts;
};

/** One kind of file system: how to look at it, mount it safely and mend it. */
export type FileSystem = {
  /** The blkid TYPEs it answers for. */
  readonly types: readonly string[];
  /** Mount options with which not one byte is written, journal or log included. */
  readonly lookOptions: readonly string[];
  /** Options for a writable mount that stops at the first error instead of going on. */
  readonly writeOptions: readonly string[];
  /** The exact commands of `check` and `repair` for plans and explanations. */
  readonly checkCommands: (device: string) => readonly (readonly string[])[];
  readonly repairCommands: (device: string) => readonly (readonly string[])[];
  /** Looks without writing one byte to the device. */
  readonly check: (context: CheckContext) => Promise<CheckResult>;
  /** Mends it, then looks again: `repaired` means that the second look was clean. */
  readonly repair: (context: RepairContext) => Promise<CheckResult>;
};
