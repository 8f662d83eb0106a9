import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { makeTree } from '../../fixtures/make-tree.ts';
import { hostFiles } from '../host/files.ts';
import { createHost } from '../host/host.ts';
import { kernelImageDamage, parseSetupHeader } from './kernel-image.ts';
import { systemFiles } from './system-files.ts';

/** What does not pack well: chained sums of its own number. */
const noise = (length: number): Buffer =>
  Buffer.concat(
    Array.from({ length: Math.ceil(length / 32) }, (_, index) =>
      createHash('sha256').update(String(index)).digest(),
    ),
  ).subarray(0, length);

/** A bzImage whose packed part is real. */
const makeKernel = (payload: Buffer = gzipSync(noise(60_000))): Buffer => {
  const setup = Buffer.alloc(5 * 512);
  setup[0x1f1] = 4;
  setup.writeUInt32LE(Math.ceil((payload.length + 64) / 16), 0x1f4);
  setup.write('HdrS', 0x202);
  setup.writeUInt16LE(0x20f, 0x206);
  setup.writeUInt32LE(64, 0x248);
  setup.writeUInt32LE(payload.length, 0x24c);
  return Buffer.concat([setup, Buffer.alloc(64, 1), payload, Buffer.alloc(16)]);
};

const damageOf = async (image: Buffer, architecture = 'x86_64'): Promise<string | null> => {
  await using tree = await makeTree({ 'boot/vmlinuz-1': image });
  const files = systemFiles(hostFiles, tree.root);
  return await kernelImageDamage(createHost(), files, '/boot/vmlinuz-1', architecture, true);
};

test('a whole kernel is whole, also with a signature behind it', async () => {
  expect(await damageOf(makeKernel())).toBeNull();
  expect(await damageOf(Buffer.concat([makeKernel(), noise(1000)]))).toBeNull();
  expect(parseSetupHeader(makeKernel())?.payload?.offsetBytes).toBe(5 * 512 + 64);
});

test('what is cut off, empty or something else is told', async () => {
  expect(await damageOf(makeKernel().subarray(0, 5000))).toContain('it is cut off');
  expect(await damageOf(Buffer.alloc(0))).toBe('it is empty');
  expect(await damageOf(Buffer.alloc(5000))).toContain('nothing but zeros');
  expect(await damageOf(Buffer.from('<html>not found</html>'.repeat(100)))).toContain('Linux');
});

test('an image of a few bytes is told of, whatever the machine', async () => {
  for (const architecture of ['x86_64', 'aarch64']) {
    expect(await damageOf(Buffer.from('M'), architecture)).toBe('it has no more than 1 byte');
    expect(await damageOf(Buffer.from('MZ\n'), architecture)).toBe('it has no more than 3 bytes');
  }
  expect(await damageOf(Buffer.from('MZ..'))).toContain('Linux');
});

test('a hole and turned bits in the packed part are seen', async () => {
  const hole = makeKernel();
  hole.fill(0, 10_000, 20_000);
  expect(await damageOf(hole)).toContain('nothing but zeros');
  const turned = makeKernel();
  turned.write('damaged', 9000);
  expect(await damageOf(turned)).toContain('cannot unpack');
});

test("other machines' kernels and plain ELF files are left alone", async () => {
  expect(await damageOf(Buffer.from('MZ another kernel'), 'aarch64')).toBeNull();
  expect(await damageOf(Buffer.concat([Buffer.from('\x7fELF'), noise(2000)]))).toBeNull();
});
