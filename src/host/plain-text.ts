// C0 and C1 controls, the line and paragraph separators, and the marks that reorder text on screen:
// with them a name on a disk can move the cursor, rewrite what was printed, or show a path reversed.
const unprintable =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

// A whole control sequence (ECMA-48: CSI … final byte, OSC … BEL or ST, ESC with one letter), so that
// no half of it stays behind as `[0;31m`.
const sequences =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is for
  /\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b[@-Z\\-_a-z]/g;

/**
 * Text from a disk as one line that is safe to show: runs of blanks become one space, every other
 * control character goes.
 */
export const plainText = (text: string): string =>
  text
    .replace(sequences, '')
    .replace(/[\t\n\r ]+/g, ' ')
    .replace(unprintable, '')
    .trim();

/** The last lines of what a program said that say something, each as `plainText`: errors come last. */
export const lastPlainLines = (text: string, count: number): readonly string[] =>
  text
    .split('\n')
    .map(plainText)
    .filter((line) => line !== '')
    .slice(-count);

/** One line of a file as it stands, blanks kept, without anything that steers a terminal. */
export const plainLine = (text: string): string =>
  text.replace(sequences, '').replaceAll('\t', '    ').replace(unprintable, '');
