import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createHost } from '../host/host.ts';
import { coreBlocks, readBootCode, readCore } from './grub-core.ts';
import { withDependencies } from './grub-modules.ts';
import { unpackLzma } from './lzma.ts';
import { bootCodeFor, coreFor } from './write-core.ts';

/** Packed by xz(1) itself; its header of 13 bytes is taken off. */
const packed = async (text: string): Promise<Buffer> => {
  const script = 'printf %s "$0" | xz --format=lzma --stdout | od -An -v -tx1';
  const { stdout } = await createHost().run({ program: 'sh', args: ['-c', script, text] });
  return Buffer.from(stdout.replaceAll(/\s+/g, ''), 'hex').subarray(13);
};

const parameters = { lc: 3, lp: 0, pb: 2 } as const;

test('what xz has packed is unpacked to the byte', async () => {
  const words = Array.from({ length: 400 }, (_, index) =>
    createHash('sha256')
      .update(String(index % 37))
      .digest('hex')
      .slice(0, index % 50),
  );
  for (const text of ['a', 'abcabcabcabc'.repeat(300), words.join(' ')]) {
    const unpacked = unpackLzma(await packed(text), { ...parameters, length: text.length });
    expect(unpacked?.toString()).toBe(text);
  }
});

test('no bytes make unpacking fail or go on without end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      const unpacked = unpackLzma(Buffer.from([0, ...noise]), { ...parameters, length: 5000 });
      expect(unpacked === null || unpacked.length === 5000).toBe(true);
      expect(readCore(Buffer.concat([Buffer.alloc(1024), Buffer.from(noise)]))).toBeNull();
    }),
  );
});

/** boot.img and the first sector of core.img as far as they are known by. */
const bootImage = (): Buffer => {
  const image = Buffer.alloc(512);
  image.write('GRUB \0Geom\0Hard Disk\0Read\0 Error', 0x180);
  return image;
};

const coreImage = (length: number): Buffer => {
  const image = Buffer.alloc(length, 1);
  image.fill(0, 0, 512);
  image.write('loading', 0x185);
  return image;
};

test('boot code leads to the core image, and that to its other sectors', () => {
  const code = bootCodeFor(bootImage(), 2048);
  if (code === null) throw new Error('no boot code');
  expect(code.length).toBe(440);
  expect(readBootCode(code)).toEqual({ kind: 'grub', coreSector: 2048 });
  const core = coreFor(coreImage(5 * 512 + 1), 2048);
  expect(core.length).toBe(6 * 512);
  expect(coreBlocks(core.subarray(0, 512))).toEqual([{ sector: 2049, count: 5 }]);
});

test('what is no code of GRUB is told from no code at all', () => {
  expect(readBootCode(Buffer.alloc(512))).toEqual({ kind: 'none' });
  expect(readBootCode(Buffer.alloc(512, 0x90))).toEqual({ kind: 'other' });
  expect(bootCodeFor(Buffer.alloc(512), 1)).toBeNull();
  expect(coreBlocks(Buffer.alloc(512))).toBeNull();
  expect(coreBlocks(coreImage(512))).toBeNull();
});

test('modules are listed with all that they need, circles included', () => {
  const needs = new Map([
    ['normal', ['terminal', 'crypto']],
    ['terminal', ['normal']],
  ]);
  expect([...withDependencies(['normal'], needs)].sort()).toEqual(['crypto', 'normal', 'terminal']);
});
