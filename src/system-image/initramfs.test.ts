import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cpioArchive, cpioMember } from '../../fixtures/make-cpio.ts';
import { makeTree } from '../../fixtures/make-tree.ts';
import { hostFiles } from '../host/files.ts';
import { createHost } from '../host/host.ts';
import { walkCpio } from './cpio-walk.ts';
import { crypttabInInitramfs, hasProgram, modulesIn, readInitramfs } from './initramfs.ts';
import { systemFiles } from './system-files.ts';

const archive = (...names: readonly string[]): Buffer =>
  cpioArchive(...names.map((name) => cpioMember(name, 'some content', 0)));

const lookAt = async (bytes: Buffer) => {
  await using tree = await makeTree({ 'boot/initrd': bytes });
  return await readInitramfs(createHost(), systemFiles(hostFiles, tree.root), '/boot/initrd');
};

const microcode = Buffer.concat([archive('kernel/x86/microcode/a.bin'), Buffer.alloc(512)]);
const main = archive('init', './usr/lib/modules/6.1/kernel/fs/xfs/xfs.ko.xz', 'usr/sbin/lvm');

test('archives at the front and the packed one behind them are one initramfs', async () => {
  const image = await lookAt(Buffer.concat([microcode, gzipSync(main)]));
  if (image.kind !== 'whole') throw new Error(image.reason);
  expect(image.names.has('kernel/x86/microcode/a.bin')).toBe(true);
  expect([...modulesIn(image.names).versions]).toEqual(['6.1']);
  expect([...modulesIn(image.names).of('6.1')]).toEqual(['xfs']);
  expect(hasProgram(image.names, 'lvm')).toBe(true);
  expect(hasProgram(image.names, 'mdadm')).toBe(false);
});

test('one that is not packed at all, and one with zeros behind it, are whole', async () => {
  expect((await lookAt(main)).kind).toBe('whole');
  expect((await lookAt(Buffer.concat([gzipSync(main), Buffer.alloc(300)]))).kind).toBe('whole');
});

test('the crypttab that an initramfs has for itself is read out of it', async () => {
  const line = 'root UUID=c0de none luks';
  const copyIn = async (...members: readonly Buffer[]) => {
    const packed = gzipSync(cpioArchive(...members));
    await using tree = await makeTree({ 'boot/initrd': Buffer.concat([microcode, packed]) });
    const files = systemFiles(hostFiles, tree.root);
    return await crypttabInInitramfs(createHost(), files, '/boot/initrd');
  };
  expect(await copyIn(cpioMember('init'), cpioMember('cryptroot/crypttab', `${line}\n`))).toBe(
    line,
  );
  expect(await copyIn(cpioMember('etc/crypttab', `${line}\n# x\n`))).toBe(`${line}\n# x`);
  expect(await copyIn(cpioMember('init', line))).toBeNull();
  expect(await copyIn(cpioMember('etc/crypttab', 'x'.repeat(200_000)))).toBeNull();
});

test('wherever it is cut off, it is damaged', async () => {
  expect(await lookAt(Buffer.alloc(0))).toEqual({ kind: 'damaged', reason: 'it is empty' });
  expect((await lookAt(gzipSync(main).subarray(0, 60))).kind).toBe('damaged');
  expect((await lookAt(gzipSync(main.subarray(0, 200)))).kind).toBe('damaged');
  expect((await lookAt(main.subarray(0, main.length - 200))).kind).toBe('damaged');
  expect((await lookAt(Buffer.from('no archive, and not packed'))).kind).toBe('damaged');
});

test('no bytes make the walk fail or go on without end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (noise) => {
      const bytes = Buffer.concat([archive('a', 'b').subarray(0, 200), Buffer.from(noise)]);
      const read = async (at: number, length: number) => bytes.subarray(at, at + length);
      const { restAt } = await walkCpio(read, bytes.length);
      expect(restAt).toBeLessThanOrEqual(bytes.length);
    }),
  );
});
