import type { Finding } from '../diagnosis/finding.ts';
import type { CheckResult } from '../filesystems/file-system.ts';
import type { AppliedRepair, RefusedRepair } from './apply-repairs.ts';
import { type Checked, checkLines, isDamaged } from './check-system.ts';
import { fileSystemFindings } from './diagnose-job.ts';

export const fileSystemRepairId = 'file-system.repair';
/** The finding that leads to it. */
export const damagedId = 'file-system.damaged';

/** Why a repair cannot be taken back: only e2fsck keeps what it overwrites (e2undo(8)). */
const keepsNothing = (fsType: string): string | null =>
  /^ext[234]$/.test(fsType) ? null : `the tools of ${fsType} keep nothing of what was there`;

const repairOf = ({ device, fsType }: CheckResult, irreversible: string | null): AppliedRepair => ({
  id: fileSystemRepairId,
  title: `Mend the ${fsType} on ${device}`,
  changes: [],
  commands: checkLines([{ device, fsType }], true),
  commandsOn: 'disk',
  irreversible,
  // Whether the boot still stops at the file system shows only where it is checked and mounted.
  proof: 'vm',
});

/** What became of the file systems before anything was mounted. */
export type FileSystemRepairs = {
  readonly checks: readonly CheckResult[];
  /** What was found and is mended: it is no finding of the end any more. */
  readonly found: readonly Finding[];
  readonly applied: readonly AppliedRepair[];
  readonly refused: readonly RefusedRepair[];
};

/**
 * Tells what a check did, or, where nothing was written, what it would do. A journal that was
 * replayed is no repair: every mount does that.
 *
 * @param how `done`: with mending. `planned`: without, to show it. `impossible`: nothing can be
 *   mended there, because the layer lies over the file systems and not below them.
 */
export const fileSystemRepairs = (
  all: readonly Checked[],
  how: 'done' | 'planned' | 'impossible' | 'unwanted',
): FileSystemRepairs => {
  const checks = all.map(({ result }) => result);
  const damaged = all.filter(({ looked }) => isDamaged(looked));
  const mended = damaged.filter(({ result }) => result.outcome === 'repaired');
  const found = fileSystemFindings(mended.map(({ looked }) => looked));
  const nothing = { checks, found, applied: [], refused: [] };
  switch (how) {
    case 'done':
      return {
        ...nothing,
        applied: mended.map(({ result }) => {
          const without = keepsNothing(result.fsType) ?? 'e2fsck kept no undo file';
          return repairOf(result, result.undoFile === null ? without : null);
        }),
      };
    case 'planned':
      return {
        ...nothing,
        applied: damaged.map(({ looked }) => repairOf(looked, keepsNothing(looked.fsType))),
      };
    case 'impossible':
      return {
        ...nothing,
        refused: damaged.slice(0, 1).map(() => ({
          id: fileSystemRepairId,
          reason: 'On layers over file systems these are checked and not mended',
          hint: 'A host with device-mapper lays them over the disks; or repair without --rehearse.',
        })),
      };
    case 'unwanted':
      return nothing;
  }
};

/**
 * e2undo(8) refuses as soon as the file system was mounted for writing, as every other repair has
 * to do.
 */
export const beforeOthers = (applied: readonly AppliedRepair[]): readonly AppliedRepair[] =>
  applied.map((repair) => ({
    ...repair,
    irreversible:
      repair.irreversible ??
      'the repairs after it write to the file systems; mended alone first (--only file-system.repair) it could',
  }));

/** The same repairs on a layer that stands in for the disk. */
export const onLayer = (applied: readonly AppliedRepair[]): readonly AppliedRepair[] =>
  applied.map((repair) => ({ ...repair, commandsOn: 'layer', irreversible: null }));
