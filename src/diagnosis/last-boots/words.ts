import type { Evidence, Finding } from '../finding.ts';

/** Lines or entries of a log that a finding shows: the last ones tell most. */
export const shownLines = 5;

export const timeWords = (date: Date): string =>
  `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** Lines of the journal. */
export const journalEvidence = (lines: readonly string[]): Evidence => ({
  kind: 'command',
  command: 'journalctl --directory=/var/log/journal',
  output: lines
    .slice(-shownLines)
    .map((line) => line.slice(0, 200))
    .join('\n'),
});

type Plain = Pick<Finding, 'id' | 'title' | 'subject' | 'meaning'>;

/** Something that is worth knowing and nothing to mend. */
export const info = (finding: Plain, evidence: readonly Evidence[]): Finding => ({
  ...finding,
  severity: 'info',
  evidence,
  repair: null,
});
