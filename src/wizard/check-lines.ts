import type { CheckResult } from '../filesystems/file-system.ts';
import { plainText } from '../host/plain-text.ts';
import { outcomeWord } from '../output/check-report.ts';
import { createStyle } from '../output/style.ts';
import type { View } from '../output/terminal.ts';
import { wrapText } from '../output/wrap.ts';
import { isDamaged, isOnlyDirty } from '../rescue/check-system.ts';
import { evidenceLines } from './screen.ts';

const shownEvidence = 4;

const lastResortOptions = /--(xfs-zero-log|btrfs-repair|backup-superblock)\b/g;

/** A check's advice names options of the command line, where the walk asks instead. */
export const withoutOptions = (detail: string): string => {
  const parts = plainText(detail).split(/(?<=[.;:]) /);
  const kept = parts.filter((part) => !part.startsWith('--')).join(' ');
  return kept.replaceAll(lastResortOptions, 'the last resort').replace(/[;:]$/, '.');
};

const detailOf = (result: CheckResult): string =>
  // FAT has a mark and no journal, and its own sentence says so.
  isOnlyDirty(result) && result.fsType !== 'vfat'
    ? 'The machine was cut off while writing. This is no damage: the journal is replayed by mounting, as on every boot.'
    : withoutOptions(result.detail);

/** What a check found, for a person who will be asked what to do about it. */
export const renderResults = (results: readonly CheckResult[], view: View): string => {
  const style = createStyle(view.colour);
  const paint = (result: CheckResult, text: string): string => {
    if (result.outcome === 'clean' || result.outcome === 'repaired') return style.good(text);
    return isDamaged(result) ? style.bad(text) : style.warning(text);
  };
  return results
    .flatMap((result) => [
      `  ${paint(result, outcomeWord(result).padEnd(12))} ${result.device}  ${result.fsType}`,
      ...(result.outcome === 'clean' ? [] : wrapText(detailOf(result), view.columns - 1, 4)),
      ...evidenceLines(result.evidence, view, shownEvidence),
    ])
    .join('\n');
};

/** Damage that a repair may mend and that stands in the way of a mount for writing. */
export const damagedOnes = (results: readonly CheckResult[]): readonly CheckResult[] =>
  results.filter(isDamaged);
