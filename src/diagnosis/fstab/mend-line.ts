import { lineText, setField } from '../../system-image/edit-fields.ts';
import type { Subject } from '../subject.ts';
import type { Table } from './table.ts';

export type LineMend =
  | { readonly kind: 'mended'; readonly text: string }
  /** What the line was meant to say is not certain. */
  | { readonly kind: 'unsure' };

const isNumber = (word: string): boolean => /^-?\d{1,9}$/.test(word);

/** `defaults, noatime 0 1`: a blank behind a comma has cut the options in two. */
const joinOptions = (content: string): string =>
  content.replace(/,[ \t]+(?=[a-z])|[ \t]+(?=,)/g, (found) => (found.includes(',') ? ',' : ''));

const withoutComment = (words: readonly string[]): readonly string[] => {
  const comment = words.findIndex((word, index) => index > 1 && word.startsWith('#'));
  return comment === -1 ? words : words.slice(0, comment);
};

const wordsOf = (content: string): readonly string[] =>
  withoutComment(content.split(/[ \t]+/).filter((word) => word !== ''));

/** The fifth and sixth field; a comment directly behind the options needs them before it. */
const mendNumbers = (content: string, isRoot: boolean): string => {
  const [dump, pass] = wordsOf(content).slice(4, 6);
  const hasComment =
    wordsOf(content).length < content.split(/[ \t]+/).filter((w) => w !== '').length;
  let text = content;
  if (dump !== undefined && !isNumber(dump)) text = setField(text, 4, '0');
  if (pass !== undefined && !isNumber(pass)) text = setField(text, 5, isRoot ? '1' : '0');
  if (dump === undefined && hasComment) text = setField(text, 4, '0');
  return text;
};

const mendTarget = async (subject: Subject, content: string): Promise<string | null> => {
  const [, target = '', fsType] = wordsOf(content);
  if (target.startsWith('/') || target === 'none' || target === 'swap' || fsType === 'swap')
    return content;
  if (target === '') return null;
  return (await subject.files.isDirectory(`/${target}`))
    ? setField(content, 1, `/${target}`)
    : null;
};

/**
 * The line as it must have been meant, where that is certain: without byte order mark and carriage
 * return, options in one piece, numbers in the number fields, a mount point with its slash.
 *
 * @param line from 1.
 */
export const mendLine = async (subject: Subject, table: Table, line: number): Promise<LineMend> => {
  const one = table.entries.find(({ entry }) => entry.line === line);
  const plain = lineText(table.text, line).replace(/^\ufeff/, '');
  const joined = joinOptions(plain);
  if (wordsOf(joined).length < 2) return { kind: 'unsure' };
  const isRoot = one?.isRoot === true;
  const targeted = await mendTarget(subject, mendNumbers(joined, isRoot));
  if (targeted === null) return { kind: 'unsure' };
  if (wordsOf(targeted).length > 2) return { kind: 'mended', text: targeted };
  // Without a type systemd tries what is on the device, and mount(8) does not read the line.
  const typed = setField(targeted, 2, 'auto');
  return {
    kind: 'mended',
    text: isRoot ? setField(typed, 5, '1', ['', '', '', 'defaults', '0']) : typed,
  };
};
