import type { CheckResult } from '../filesystems/file-system.ts';
import { plainText } from '../host/plain-text.ts';
import { createStyle } from './style.ts';
import type { View } from './terminal.ts';
import { wrapText } from './wrap.ts';

/** A journal that waits is not damage, though the outcome's four words have no other for it. */
export const outcomeWord = ({ outcome, needsReplay, evidence }: CheckResult): string =>
  outcome === 'damaged' && needsReplay && evidence.length === 0 ? 'not replayed' : outcome;

/** What a check found, one paragraph a file system. */
export const renderChecks = (
  results: readonly CheckResult[],
  target: string,
  view: View,
): string => {
  const style = createStyle(view.colour);
  const paint = (result: CheckResult): string => {
    const word = outcomeWord(result).padEnd(12);
    if (result.outcome === 'clean' || result.outcome === 'repaired') return style.good(word);
    return result.outcome === 'skipped' ? style.dim(word) : style.warning(word);
  };
  const lines = results.flatMap((result) => [
    `  ${paint(result)} ${result.device}  ${result.fsType}`,
    ...wrapText(plainText(result.detail), view.columns - 1, 4),
    ...result.evidence.slice(0, 8).map((line) => style.dim(`      ${plainText(line)}`)),
    ...(result.undoFile === null
      ? []
      : [
          `    Take back: e2undo ${result.undoFile} ${result.device} (while nothing else was written)`,
        ]),
  ]);
  const damaged = results.some(({ outcome }) => outcome === 'damaged');
  const next = damaged ? ['', `  Next: rescuekit check --repair ${target}`] : [];
  return `${[...lines, ...next].join('\n')}\n`;
};
