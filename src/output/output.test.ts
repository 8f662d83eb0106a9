import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonText } from './sanitise.ts';
import { formatSize } from './size.ts';
import { createStyle } from './style.ts';
import { describeTerminal } from './terminal.ts';
import { cutText, padText, textWidth } from './text-width.ts';

test.each([
  [0, '0 B'],
  [512, '512 B'],
  [8 * 2 ** 30, '8 GiB'],
  [512 * 2 ** 20, '512 MiB'],
  [7.5 * 2 ** 30, '7.5 GiB'],
  [2 ** 30 - 1, '1 GiB'],
  [1000204886016, '932 GiB'],
  [2 ** 40, '1 TiB'],
])('%i bytes are shown as %s', (bytes, text) => {
  expect(formatSize(bytes)).toBe(text);
});

test('JSON keeps the value and is safe on a terminal', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (label) => {
      const text = jsonText({ label });
      expect(JSON.parse(text)).toEqual({ label });
      expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
    }),
  );
});

test('a terminal that does not know its size is taken for 80 by 24', () => {
  const terminal = describeTerminal({ isTTY: true, columns: 0, rows: 0 }, { LANG: 'C.UTF-8' });
  expect(terminal).toEqual({
    isTerminal: true,
    columns: 80,
    rows: 24,
    colour: true,
    unicode: true,
  });
});

test.each([
  ['NO_COLOR', { isTTY: true }, { NO_COLOR: '1' }, true],
  ['--no-color', { isTTY: true }, {}, false],
  ['no terminal', {}, {}, true],
  ['TERM=dumb', { isTTY: true }, { TERM: 'dumb' }, true],
])('no colours with %s', (_, stream, env, wanted) => {
  expect(describeTerminal(stream, env, wanted).colour).toBe(false);
});

test('an empty NO_COLOR means nothing', () => {
  expect(describeTerminal({ isTTY: true }, { NO_COLOR: '' }).colour).toBe(true);
});

test('the locale is read in the order of POSIX', () => {
  const unicode = (env: Record<string, string>) => describeTerminal({}, env).unicode;
  expect(unicode({ LC_ALL: 'POSIX', LANG: 'de_DE.UTF-8' })).toBe(false);
  expect(unicode({ LC_ALL: '', LC_CTYPE: 'en_US.utf8', LANG: 'C' })).toBe(true);
  expect(unicode({})).toBe(false);
});

test('styles leave the text alone without colour', () => {
  expect(createStyle(false).warning('x')).toBe('x');
  expect(createStyle(true).warning('x')).toBe('\u001b[33mx\u001b[39m');
});

test('wide characters take two columns, combining marks none', () => {
  expect(textWidth('日本')).toBe(4);
  expect(textWidth('e\u0301')).toBe(1);
});

test('cut and padded text has the width that was asked for', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      fc.integer({ min: 1, max: 40 }),
      (text, columns) => {
        const width = textWidth(padText(cutText(text, columns), columns));
        expect(width === columns || (width > columns && textWidth(text) <= columns)).toBe(true);
      },
    ),
  );
});
