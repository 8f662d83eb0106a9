import { encodeFstabField } from './fstab.ts';

/** Places of the fields of a line: runs without blanks, as getmntent(3) separates them. */
const fieldPlaces = (line: string) => [...line.matchAll(/[^ \t\r\n]+/g)];

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
  // What begins with # after the second field is a comment, and goes on behind the new field.
  const comment = places.findIndex(([word], index) => index > 1 && word.startsWith('#'));
  const known = comment === -1 ? places : places.slice(0, comment);
  const place = known[field];
  if (place !== undefined) {
    const end = place.index + place[0].length;
    return content.slice(0, place.index) + encoded + content.slice(end);
  }
  const last = known.at(-1);
  const missing = [...defaults.slice(known.length, field).map(encodeFstabField), encoded];
  if (last === undefined) return missing.join(' ');
  const end = last.index + last[0].length;
  return `${content.slice(0, end)} ${missing.join(' ')}${content.slice(end)}`;
};
