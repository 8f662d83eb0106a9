import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hostFiles } from '../host/files.ts';
import { createHost } from '../host/host.ts';
import { parseFatBootSector } from './fat-boot-sector.ts';
import { openFat } from './fat-reader.ts';

const host = createHost();
const run = (program: string, ...args: readonly string[]) => host.run({ program, args });

const megabytes = { 12: 4, 16: 20, 32: 36 } as const;

test.each([12, 16, 32] as const)('a FAT%d is read as mtools has written it', async (bits) => {
  const directory = await mkdtemp(join(tmpdir(), 'rescuekit-fat-'));
  try {
    const file = join(directory, 'fat.img');
    const program = join(directory, 'program');
    const content = randomBytes(200_001);
    await writeFile(file, '');
    await truncate(file, megabytes[bits] * 2 ** 20);
    await writeFile(program, content);
    await run('mkfs.vfat', '-F', String(bits), file);
    await run('mmd', '-i', file, '::/EFI', '::/EFI/debian');
    await run('mcopy', '-i', file, program, '::/EFI/debian/shimx64.efi');
    const names = Array.from({ length: 20 }, (_, n) => join(directory, `a long name ${n}.txt`));
    for (const name of names) await writeFile(name, 'some content');
    await run('mcopy', '-i', file, ...names, '::/EFI/debian');
    await run('mdel', '-i', file, '::/EFI/debian/a long name 3.txt');
    const fat = await openFat((offset, length) => hostFiles.readAt(file, offset, length));
    if (fat === null) throw new Error('no FAT');
    expect((await fat.list('/'))?.map(({ name }) => name)).toEqual(['EFI']);
    const entries = await fat.list('/efi/DEBIAN');
    expect(entries).toHaveLength(20);
    expect(entries?.map(({ name }) => name)).toContain('a long name 19.txt');
    const read = await fat.read('/EFI/debian/SHIMX64.EFI', 1_000_000);
    expect(read?.equals(content)).toBe(true);
    expect((await fat.read('/EFI/debian/a long name 7.txt', 10))?.length).toBe(10);
    expect(await fat.read('/EFI/debian', 10)).toBeNull();
    expect(await fat.read('/EFI/nothing/here', 10)).toBeNull();
    expect(await fat.list('/EFI/debian/shimx64.efi')).toBeNull();
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('no bytes make reading fail or go on without end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 64, maxLength: 600 }), async (noise) => {
      const disk = Buffer.alloc(4096);
      disk.set(noise);
      disk.writeUInt16LE(0xaa55, 510);
      expect(parseFatBootSector(disk) === null || disk.length > 0).toBe(true);
      const read = async (at: number, length: number) =>
        disk.subarray(at, Math.min(at + length, disk.length));
      const fat = await openFat(read);
      expect((await fat?.list('/EFI/BOOT')) ?? null).toBeNull();
    }),
  );
});
