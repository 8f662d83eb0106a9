import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeElf } from '../../fixtures/make-elf.ts';
import { parseElf, runsOn } from './elf.ts';

test.each([
  [{ machine: 62 }, 'x86_64'],
  [{ machine: 3, bits: 32 }, 'i686'],
  [{ machine: 183 }, 'aarch64'],
  [{ machine: 40, bits: 32 }, 'armv7l'],
  [{ machine: 243 }, 'riscv64'],
  [{ machine: 21 }, 'ppc64le'],
  [{ machine: 21, bigEndian: true }, 'ppc64'],
  [{ machine: 22, bigEndian: true }, 's390x'],
  [{ machine: 258 }, 'loongarch64'],
  [{ machine: 8 }, 'mips64el'],
  [{ machine: 8, bits: 32, bigEndian: true }, 'mips'],
] as const)('the header %o is of %s', (options, machine) => {
  expect(parseElf(makeElf(options))).toEqual({ machine, interpreter: null });
});

test.each([
  { machine: 62, interpreter: '/lib64/ld-linux-x86-64.so.2' },
  { machine: 3, bits: 32, interpreter: '/lib/ld-linux.so.2' },
  { machine: 22, bigEndian: true, interpreter: '/lib/ld64.so.1' },
] as const)('the dynamic loader is read from the program header: %o', (options) => {
  expect(parseElf(makeElf(options))?.interpreter).toBe(options.interpreter);
});

test('a script, an empty file and a cut-off header are no ELF', () => {
  for (const bytes of [
    Buffer.from('#!/bin/sh\n'.repeat(9)),
    Buffer.alloc(0),
    makeElf({ machine: 62 }).subarray(0, 19),
  ]) {
    expect(parseElf(bytes)).toBeNull();
  }
});

test('no bytes after the magic number make the reader fail', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
      const bytes = Buffer.concat([Buffer.from([0x7f, 0x45, 0x4c, 0x46]), noise]);
      expect(() => parseElf(bytes)).not.toThrow();
    }),
    { numRuns: 500 },
  );
});

test('a machine runs itself and its smaller kin, and 32-bit ARM is left open', () => {
  expect(runsOn('x86_64', 'x86_64')).toBe('yes');
  expect(runsOn('x86_64', 'i686')).toBe('yes');
  expect(runsOn('x86_64', 'aarch64')).toBe('no');
  expect(runsOn('i686', 'x86_64')).toBe('no');
  expect(runsOn('aarch64', 'armv7l')).toBe('unknown');
});
