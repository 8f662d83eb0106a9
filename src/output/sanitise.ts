// JSON.stringify escapes C0 only. A terminal also obeys C1 (U+009B starts an escape sequence) and
// the marks that reorder text.
const unsafeInJson =
  /[\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/**
 * A JSON document with a newline at its end. The values are unchanged (a label stays what it is on
 * the disk), but as text it is safe to show on a terminal.
 */
export const jsonText = (document: unknown): string =>
  `${JSON.stringify(document, null, 2).replaceAll(
    unsafeInJson,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )}\n`;
