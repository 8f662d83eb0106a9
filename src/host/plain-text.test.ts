import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainText } from './plain-text.ts';

test('a colour sequence goes as a whole and leaves no half of itself', () => {
  expect(plainText('\u001b[1;31mweb-3\u001b[0m')).toBe('web-3');
  expect(plainText('\u001b]0;title\u0007name')).toBe('name');
});

test('runs of blanks and line ends become one space', () => {
  expect(plainText('  two\t\n words ')).toBe('two words');
});

test('no text whatever keeps a character that steers a terminal', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(plainText(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
    }),
  );
});
