import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeStore } from '../../fixtures/exception-store.ts';
import type { RawFile } from '../host/raw-file.ts';
import { parseHeader, readExceptions } from './exception-store.ts';

const chunkBytes = 512;

const rawOf = (bytes: Buffer): RawFile => ({
  sizeBytes: bytes.length,
  read: async (at, count) => bytes.subarray(at, at + count),
  write: async () => {},
  sync: async () => {},
  close: async () => {},
});

const chunksOf = (origins: readonly number[]) =>
  origins.map((origin) => ({ origin, content: Buffer.alloc(chunkBytes, origin % 251) }));

describe('the store of a layer', () => {
  it('gives back every chunk in its order, over any number of areas', async () => {
    const origins = fc.uniqueArray(fc.nat(10_000), { maxLength: 100 });
    await fc.assert(
      fc.asyncProperty(origins, async (numbers) => {
        const bytes = makeStore(chunkBytes, chunksOf(numbers));
        const store = await readExceptions(rawOf(bytes));
        expect(store.chunkBytes).toBe(chunkBytes);
        expect(store.exceptions.map(({ origin }) => origin)).toEqual(numbers);
        for (const { origin, store: chunk } of store.exceptions) {
          expect(bytes[chunk * chunkBytes]).toBe(origin % 251);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('ends where the file ends, when the last area is full', async () => {
    const full = chunksOf(Array.from({ length: chunkBytes / 16 }, (_, index) => index));
    const bytes = makeStore(chunkBytes, full);
    const cut = bytes.subarray(0, (2 + full.length) * chunkBytes);
    expect((await readExceptions(rawOf(cut))).exceptions).toHaveLength(full.length);
  });

  it('is refused when the kernel has marked it as broken, as one that became full', () => {
    const bytes = makeStore(chunkBytes, []);
    bytes.writeUInt32LE(0, 4);
    expect(() => parseHeader(bytes)).toThrow('has become full');
  });

  it('is refused when it is something else', () => {
    expect(() => parseHeader(Buffer.alloc(16))).toThrow('not what the kernel writes');
    expect(() => parseHeader(Buffer.from('SnAp'))).toThrow('not what the kernel writes');
  });
});
