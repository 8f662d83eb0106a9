/** Well-formed sequences of UTF-8 above ASCII (Unicode, table 3-7), else a single byte. */
const sequences =
  /([\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})|[\x80-\xff]/g;

/** U+DC00 and the byte: half of a pair of which no UTF-8 makes the other half. */
const escapeBase = 0xdc00;

/** In the mode for Unicode only a half without its other half matches. */
const escaped = /[\udc80-\udcff]/gu;

const byteOf = (character: string): number => character.charCodeAt(0) - escapeBase;

/**
 * Text from which each byte of a file can be told again: UTF-8, and a byte that belongs to none as
 * U+DC80 to U+DCFF (the "surrogateescape" of PEP 383). Line ends, blanks and ASCII words are as in any
 * other text, so it can be edited line by line.
 */
export const losslessText = (bytes: Buffer): string => {
  const text = bytes.toString('utf8');
  // The sign for what cannot be read may stand in the file itself.
  if (!text.includes('\ufffd') || Buffer.from(text).equals(bytes)) return text;
  return bytes
    .toString('latin1')
    .replace(sequences, (found, whole: string | undefined) =>
      whole === undefined
        ? String.fromCharCode(escapeBase + found.charCodeAt(0))
        : Buffer.from(whole, 'latin1').toString('utf8'),
    );
};

/** The bytes of a text of `losslessText`, edited or not. */
export const losslessBytes = (text: string): Buffer => {
  if (text.isWellFormed()) return Buffer.from(text);
  const plain = text.split(escaped);
  const bytes = [...text.matchAll(escaped)].map(([character]) => byteOf(character));
  return Buffer.concat(
    plain.flatMap((part, index) => {
      const byte = bytes[index];
      return byte === undefined ? [Buffer.from(part)] : [Buffer.from(part), Buffer.of(byte)];
    }),
  );
};

/** For a person: a byte that is no UTF-8 is named, `\xe9`. */
export const namedBytes = (text: string): string =>
  text.replace(escaped, (character) => `\\x${byteOf(character).toString(16)}`).toWellFormed();
