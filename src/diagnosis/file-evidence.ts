import { lastPlainLines, plainText } from '../host/plain-text.ts';
import type { Evidence } from './finding.ts';

/** Longer lines say nothing more, and a file of a broken disk may be one line of a megabyte. */
const maxLength = 200;

/**
 * A place in a file of the system, made safe to show.
 *
 * @param line from 1; null when it is about the whole file.
 */
export const fileEvidence = (path: string, line: number | null, text: string): Evidence => ({
  kind: 'file',
  path: plainText(path),
  line,
  text: plainText(text).slice(0, maxLength),
});

/** What a command said; the end of it, because errors come last. */
export const commandEvidence = (words: readonly string[], output: string): Evidence => ({
  kind: 'command',
  command: words.join(' '),
  output: lastPlainLines(output, 5)
    .map((line) => line.slice(0, maxLength))
    .join('\n'),
});

/** Permission bits as chmod(1) takes them: `0640`. */
export const octalMode = (mode: number): string => mode.toString(8).padStart(4, '0');
