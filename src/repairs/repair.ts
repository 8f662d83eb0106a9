import type { Change } from '../changes/change.ts';
import type { Finding } from '../diagnosis/finding.ts';
import type { InsideResult, Subject } from '../diagnosis/subject.ts';

/** Stages in the order in which repairs depend on each other. */
export const repairStages = [
  'file-system',
  'fstab',
  'packages',
  'userland',
  'initramfs',
  'boot-loader',
  'access',
  'network',
  'space',
] as const;

export type RepairStage = (typeof repairStages)[number];

/** What only the person can say. */
export type RepairWishes = {
  /** Public key line for `--authorized-key`, null when none was given. */
  readonly authorizedKey: string | null;
  /** Account for it; root when left out. */
  readonly user: string | null;
  /** New password of root, already hashed (crypt(5)); null when none was given. */
  readonly rootPasswordHash: string | null;
};

/** Nothing was asked for beyond the repairs themselves. */
export const noWishes: RepairWishes = { authorizedKey: null, user: null, rootPasswordHash: null };

export type BenchCommand = {
  /** Program and words as the system knows them. */
  readonly words: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutSeconds?: number;
};

export type RepairTools = {
  readonly wishes: RepairWishes;
  /**
   * Runs programs of the system one after the other on a copy-on-write layer of it, in a container
   * without network and without any device of the host, until one fails. Nothing reaches the
   * disk: what the programs changed comes back as changes, to be shown and applied.
   *
   * @param prepare changes to be applied on the layer first (they are not part of the answer).
   */
  readonly bench: (
    commands: readonly BenchCommand[],
    prepare?: readonly Change[],
  ) => Promise<BenchResult>;
};

export type BenchResult = {
  /** Of the commands that ran, in their order; the last one may have failed. */
  readonly results: readonly InsideResult[];
  /** Empty when one of them failed. */
  readonly changes: readonly Change[];
};

export type RepairPlan =
  | {
      readonly kind: 'changes';
      readonly changes: readonly Change[];
      /** Commands that were run on the layer to find the changes, for the person to see. */
      readonly commands: readonly (readonly string[])[];
    }
  /** Nothing is done, and why: unsure, or something is needed that is not on the disk. */
  | { readonly kind: 'refused'; readonly reason: string; readonly hint: string };

/** One mend. It says what it changes before anything is changed; it sets and does not append. */
export type Repair = {
  /** As in `Finding.repair`. */
  readonly id: string;
  readonly stage: RepairStage;
  /** In the imperative: "Comment the missing data disk out of fstab". */
  readonly title: string;
  readonly why: string;
  readonly risk: string;
  /**
   * Which boot shows that it worked; `none` for what no boot shows; `by-paths` where that depends on
   * what is changed.
   */
  readonly proof: 'container' | 'vm' | 'none' | 'by-paths';
  /** Only run when the person names it with --only. */
  readonly onlyWhenNamed?: true;
  /** @param findings those that name this repair; empty when it was named with --only. */
  readonly plan: (
    subject: Subject,
    findings: readonly Finding[],
    tools: RepairTools,
  ) => Promise<RepairPlan>;
};
