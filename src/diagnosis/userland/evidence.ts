import { plainText } from '../../host/plain-text.ts';
import type { Evidence } from '../finding.ts';

const longest = 200;

/** A place in a file and what is so about it, cut to one line that is safe to show. */
export const atFile = (path: string, text: string, line: number | null = null): Evidence => ({
  kind: 'file',
  path: plainText(path),
  line,
  text: plainText(text).slice(0, longest),
});

/** Permission bits as chmod(1) takes them: `0755`. */
export const octal = (mode: number): string => mode.toString(8).padStart(4, '0');
