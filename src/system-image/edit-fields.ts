import { encodeFstabField } from './fstab.ts';

/** Places of the fields of a line: runs without blanks, as getmntent(3) separates them. */
const fieldPlaces = (line: string) => [...line.matchAll(/[^ \t\r\n]+/g)];

/** The text with one line replaced (numbers from 1); everything else stays as it is, byte for byte. */
export const replaceLine = (
  text: string,
  line: number,
  change: (content: string) => string,
): string => {
  const lines = text.split('\n');
  const before = lines[line - 1];
  return before === undefined ? text : lines.with(line - 1, change(before)).join('\n');
};

/** The text of one line without its end; empty when there is no such line. */
export const lineText = (text: string, line: number): string =>
  (text.split('\n')[line - 1] ?? '').replace(/\r$/, '');

/**
 * Sets one field (from 0) of a line of blank-separated fields and keeps the rest: blanks, comments,
 * the line's end. Fields that are missing before it are given as in `defaults`.
 *
 * @param value as the parser is to read it; blanks and `#` in it are escaped here.
 */
export const setField = (
  content: string,
  field: number,
  value: string,
  defaults: readonly string[] = [],
): string => {
  const encoded = encodeFstabField(value);
  const places = fieldPlaces(content);
  const place = places[field];
  // What begins with # after the second field is a comment, and goes on behind the new field.
  const comment = places.findIndex(([word], index) => index > 1 && word.startsWith('#'));
  if (place !== undefined && (comment === -1 || comment > field)) {
    const end = place.index + place[0].length;
    return content.slice(0, place.index) + encoded + content.slice(end);
  }
  const known = comment === -1 ? places.length : comment;
  const missing = defaults.slice(known, field).map(encodeFstabField);
  const last = places[known - 1];
  const at = last === undefined ? 0 : last.index + last[0].length;
  return `${content.slice(0, at)} ${[...missing, encoded].join(' ')}${content.slice(at)}`;
};
