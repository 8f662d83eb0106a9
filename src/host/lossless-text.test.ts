import fc from 'fast-check';
import { expect, test } from 'vitest';
import { losslessBytes, losslessText, namedBytes } from './lossless-text.ts';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

test('any bytes come back as they were, also from between the lines that are edited', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (one, other) => {
      const [before, after] = [Buffer.from(one), Buffer.from(other)];
      const text = losslessText(Buffer.concat([before, latin1('\nedit me\n'), after]));
      const edited = text.replace('\nedit me\n', '\n\u017b\n');
      expect(losslessBytes(edited)).toEqual(
        Buffer.concat([before, Buffer.from('\n\u017b\n'), after]),
      );
    }),
  );
});

test('what is UTF-8 is read as such, also beside bytes that are none', () => {
  const text = 'b\u00fcro \u017b \u{1f600} \ufffd \ufeff';
  expect(losslessText(Buffer.from(text))).toBe(text);
  const mixed = Buffer.concat([Buffer.from(text), latin1('donn\xe9es \xed\xb2\x80 \xc3')]);
  expect(losslessText(mixed)).toBe(`${text}donn\udce9es \udced\udcb2\udc80 \udcc3`);
  expect(losslessBytes(losslessText(mixed))).toEqual(mixed);
});

test('for a person a byte has its number', () => {
  expect(namedBytes(losslessText(latin1('/mnt/donn\xe9es')))).toBe('/mnt/donn\\xe9es');
  expect(namedBytes('\ud83d\ude00 \ud83d')).toBe('\ud83d\ude00 \ufffd');
});
