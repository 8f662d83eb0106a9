import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeDynamicElf } from '../../fixtures/make-dynamic-elf.ts';
import { readElfImage } from './elf-image.ts';

const read = (bytes: Buffer) => readElfImage(bytes, bytes.length);

test('what the loader needs to know of a program is read from it', () => {
  const bytes = makeDynamicElf({
    interpreter: '/lib64/ld-linux-x86-64.so.2',
    needed: ['libmount.so.1', 'libc.so.6'],
    runpath: '$ORIGIN/../lib:/opt/lib',
    wants: { 'libc.so.6': ['GLIBC_2.34', 'GLIBC_2.2.5'], 'libmount.so.1': ['MOUNT_2.20'] },
  });
  expect(read(bytes)).toEqual({
    machine: 'x86_64',
    interpreter: '/lib64/ld-linux-x86-64.so.2',
    needed: ['libmount.so.1', 'libc.so.6'],
    soname: null,
    rpath: [],
    runpath: ['$ORIGIN/../lib', '/opt/lib'],
    wants: [
      { library: 'libc.so.6', version: 'GLIBC_2.34' },
      { library: 'libc.so.6', version: 'GLIBC_2.2.5' },
      { library: 'libmount.so.1', version: 'MOUNT_2.20' },
    ],
    versions: [],
  });
});

test('a library says its name and the versions that it has', () => {
  const bytes = makeDynamicElf({ soname: 'libc.so.6', versions: ['GLIBC_2.2.5', 'GLIBC_2.36'] });
  expect(read(bytes)).toMatchObject({
    soname: 'libc.so.6',
    versions: ['GLIBC_2.2.5', 'GLIBC_2.36'],
  });
});

test('what a power cut leaves of a file is told apart', () => {
  const whole = makeDynamicElf({ needed: ['libc.so.6'] });
  expect(read(Buffer.alloc(0))).toBe('empty');
  expect(read(Buffer.alloc(4096))).toBe('not-elf');
  expect(read(whole.subarray(0, whole.length - 20))).toBe('cut-off');
  // The first page was written, and the rest is zeros.
  const zeroed = Buffer.concat([whole.subarray(0, 64 + 3 * 56), Buffer.alloc(whole.length)]);
  expect(readElfImage(zeroed.subarray(0, whole.length), whole.length)).toBe('cut-off');
});

test('no damage makes the reader fail or go on for ever', () => {
  const whole = makeDynamicElf({
    interpreter: '/lib/ld.so',
    needed: ['a', 'b'],
    versions: ['A', 'B'],
    wants: { a: ['X', 'Y'], b: ['Z'] },
  });
  const damage = fc.record({
    at: fc.nat(whole.length - 1),
    byte: fc.integer({ min: 0, max: 255 }),
  });
  fc.assert(
    fc.property(fc.array(damage, { maxLength: 12 }), (places) => {
      const bytes = Buffer.from(whole);
      for (const { at, byte } of places) bytes[at] = byte;
      expect(() => read(bytes)).not.toThrow();
    }),
    { numRuns: 500 },
  );
});
