// Combining marks take no column; East Asian wide characters and emoji take two (UAX #11, in the
// blocks that labels and names really use).
const zero = /\p{Mark}/u;
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

const widthOf = (character: string): number =>
  zero.test(character) ? 0 : wide.test(character) ? 2 : 1;

/** Columns that a text without escape sequences takes on a terminal. */
export const textWidth = (text: string): number =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: printable ASCII is the common case
  /^[\u0000-\u007f]*$/.test(text)
    ? text.length
    : [...text].reduce((sum, character) => sum + widthOf(character), 0);

/** The text in at most `columns` columns; what is cut off is marked by `mark`. */
export const cutText = (text: string, columns: number, mark = '…'): string => {
  if (textWidth(text) <= columns) return text;
  let width = textWidth(mark);
  let kept = '';
  for (const character of text) {
    width += widthOf(character);
    if (width > columns) break;
    kept += character;
  }
  return kept + mark;
};

/** Fills up with blanks at the end to `columns` columns. */
export const padText = (text: string, columns: number): string =>
  text + ' '.repeat(Math.max(0, columns - textWidth(text)));

/** Only ASCII, for terminals that can show nothing else. */
export const asciiText = (text: string): string =>
  text.replaceAll('→', '->').replaceAll(/[^ -~]/gu, '?');
