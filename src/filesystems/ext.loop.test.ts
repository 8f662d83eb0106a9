import { readdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeContext } from '../../fixtures/damage/check-context.ts';
import {
  clearInode,
  eraseSuperblock,
  spoilFreeCount,
  spoilGroupDescriptors,
} from '../../fixtures/damage/ext.ts';
import { cutOff, fill, makeFileSystem } from '../../fixtures/damage/file-systems.ts';
import { openWorkshop, type Workshop } from '../../fixtures/damage/workshop.ts';
import { undoExtRepair } from './ext-repair.ts';
import { readSuperblock } from './ext-superblock.ts';
import type { CheckResult, LastResorts } from './file-system.ts';
import { fileSystemFor } from './registry.ts';

let shop: Workshop;

beforeEach(async () => {
  shop = await openWorkshop();
});
afterEach(() => shop.close());

/** Checks an image through a loop device and makes sure that not one byte of it changes. */
const check = async (image: string, type = 'ext4'): Promise<CheckResult> => {
  const before = await shop.sum(image);
  const device = await shop.attach(image);
  const context = await makeContext(shop, device, type);
  const result = await fileSystemFor(type)?.check(context);
  await shop.detach(device);
  expect(await shop.sum(image)).toBe(before);
  expect(await readdir(context.scratchDirectory)).toEqual([]);
  if (result === undefined) throw new Error(`no file system for ${type}`);
  return result;
};

const repair = async (image: string, type = 'ext4', lastResorts: Partial<LastResorts> = {}) => {
  const device = await shop.attach(image);
  const context = await makeContext(shop, device, type, lastResorts);
  const result = await fileSystemFor(type)?.repair(context);
  if (result === undefined) throw new Error(`no file system for ${type}`);
  return { result, device, context };
};

describe.each(['ext2', 'ext3', 'ext4'] as const)('%s', (type) => {
  it('is clean when it was filled and unmounted in order', async () => {
    const image = await makeFileSystem(shop, type);
    await fill(shop, image);
    expect(await check(image, type)).toMatchObject({
      outcome: 'clean',
      needsReplay: false,
      evidence: [],
    });
  });

  it('is not clean after a power cut, and repair makes it clean', async () => {
    const image = await cutOff(shop, await makeFileSystem(shop, type));
    const found = await check(image, type);
    expect(found).toMatchObject({ outcome: 'damaged', needsReplay: type !== 'ext2' });
    expect(found.detail).toMatch(type === 'ext2' ? /--repair/ : /After replay it is consistent/);
    // Evidence of damage would keep `rescue` from mounting it, which is what replays the journal.
    if (type !== 'ext2') expect(found.evidence).toEqual([]);
    const { result, device } = await repair(image, type);
    expect(result).toMatchObject({ outcome: 'repaired', needsReplay: false });
    await shop.detach(device);
    expect(await check(image, type)).toMatchObject({ outcome: 'clean' });
  });

  it('is damaged when a file lost its inode, and repair can be taken back to the byte', async () => {
    const image = await makeFileSystem(shop, type);
    await fill(shop, image);
    await clearInode(shop, image, 'file7');
    const before = await shop.sum(image);
    const found = await check(image, type);
    expect(found.outcome).toBe('damaged');
    expect(found.evidence.join('\n')).toContain("'file7'");
    const { result, device, context } = await repair(image, type);
    expect(result.outcome).toBe('repaired');
    await undoExtRepair(context, result.undoFile ?? '');
    await shop.detach(device);
    expect(await shop.sum(image)).toBe(before);
  });

  it('can be mounted with its look options without a byte being written', async () => {
    const image = await cutOff(shop, await makeFileSystem(shop, type));
    const before = await shop.sum(image);
    const device = await shop.attach(image);
    const options = fileSystemFor(type)?.lookOptions.join(',') ?? '';
    await shop.mounted(device, options, (path) => readdir(path));
    await shop.detach(device);
    expect(await shop.sum(image)).toBe(before);
  });
});

describe('ext4', () => {
  it('is really cut off in these tests: its journal waits', async () => {
    const image = await cutOff(shop, await makeFileSystem(shop, 'ext4'));
    const context = await makeContext(shop, image, 'ext4');
    expect(await readSuperblock(context)).toMatchObject({ needsRecovery: true, state: 'clean' });
  });

  it('is not called clean when e2fsck exits 0 though it printed a wrong free count', async () => {
    const image = await makeFileSystem(shop, 'ext4');
    await spoilFreeCount(shop, image);
    const found = await check(image);
    expect(found).toMatchObject({ outcome: 'damaged', needsReplay: false });
    expect(found.evidence.join()).toContain('Free inodes count wrong');
  });

  it('with a journal that waits and real damage tells both', async () => {
    const image = await cutOff(shop, await makeFileSystem(shop, 'ext4'));
    // debugfs refuses to write while the journal waits, so the copy is damaged where no journal is.
    await shop.host.run({
      program: 'debugfs',
      args: ['-w', '-f', '-', image],
      input: 'feature -needs_recovery\nclri lost+found\nfeature needs_recovery\n',
    });
    const found = await check(image);
    expect(found).toMatchObject({ outcome: 'damaged', needsReplay: true });
    expect(found.detail).toMatch(/After replay \d+ lines? of problems remain/);
  });

  it('plays back the replay of a journal to the byte', async () => {
    const image = await cutOff(shop, await makeFileSystem(shop, 'ext4'));
    const before = await shop.sum(image);
    const { result, device, context } = await repair(image);
    expect(result.outcome).toBe('repaired');
    await undoExtRepair(context, result.undoFile ?? '');
    await shop.detach(device);
    expect(await shop.sum(image)).toBe(before);
  });

  it('refuses to play back an undo file when the file system was used since', async () => {
    const image = await makeFileSystem(shop, 'ext4');
    await spoilFreeCount(shop, image);
    const { result, device, context } = await repair(image);
    await shop.mounted(device, 'rw', async () => {});
    await expect(undoExtRepair(context, result.undoFile ?? '')).rejects.toMatchObject({
      code: 'UNDO_REFUSED',
      exit: 4,
    });
  });

  it.each([
    ['superblock', eraseSuperblock],
    ['group descriptors', spoilGroupDescriptors],
  ])('with bad %s is mended from a backup only when that was allowed', async (_, spoil) => {
    const image = await makeFileSystem(shop, 'ext4');
    await fill(shop, image, 5);
    await spoil(shop, image);
    const before = await shop.sum(image);
    const found = await check(image);
    expect(found.outcome).toBe('damaged');
    expect(found.detail).toMatch(/block 8193 \(block size 1024\).*--backup-superblock/);
    const refused = await repair(image);
    expect(refused.result).toMatchObject({ outcome: 'damaged', undoFile: null });
    await shop.detach(refused.device);
    expect(await shop.sum(image)).toBe(before);
    const allowed = await repair(image, 'ext4', { backupSuperblock: 8193 });
    expect(allowed.result.outcome).toBe('repaired');
    await shop.detach(allowed.device);
    expect(await check(image)).toMatchObject({ outcome: 'clean' });
    const device = await shop.attach(image);
    await undoExtRepair({ ...allowed.context, device }, allowed.result.undoFile ?? '');
    await shop.detach(device);
    expect(await shop.sum(image)).toBe(before);
  });

  it('with a journal on another device is not replayed by a look, there neither', async () => {
    const images = [await shop.image('journal.img', 16e6), await shop.image('data.img', 64e6)];
    const [journal = '', data = ''] = await Promise.all(images.map((one) => shop.attach(one)));
    const make = (...args: string[]) => shop.host.run({ program: 'mkfs.ext4', args });
    await make('-q', '-b', '1024', '-O', 'journal_dev', journal);
    await make('-q', '-b', '1024', '-J', `device=${journal}`, data);
    const cut = await shop.mounted(data, 'rw', async (path) => {
      const write = ['if=/dev/zero', `of=${path}/file`, 'bs=5000', 'count=1', 'conv=fsync'];
      await shop.host.run({ program: 'dd', args: write });
      return Promise.all(images.map((one) => shop.copy(one, `${one.split('/').at(-1)}.cut`)));
    });
    for (const device of [journal, data]) await shop.detach(device);
    const [cutJournal = '', cutData = ''] = cut;
    const before = await shop.sum(cutJournal);
    await shop.attach(cutJournal);
    expect(await check(cutData)).toMatchObject({ outcome: 'damaged', needsReplay: true });
    expect(await shop.sum(cutJournal)).toBe(before);
    const { result } = await repair(cutData);
    expect(result).toMatchObject({ outcome: 'repaired', undoFile: null });
    expect(result.detail).toContain('cannot be taken back');
  });

  it('reports progress with growing fractions up to the end', async () => {
    const image = await makeFileSystem(shop, 'ext4', 'large', 2000);
    const device = await shop.attach(image);
    const context = await makeContext(shop, device, 'ext4');
    await fileSystemFor('ext4')?.check(context);
    const fractions = context.progress.map((one) => one.fraction ?? 0);
    expect(fractions.length).toBeGreaterThan(10);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.at(-1)).toBe(1);
  });

  it('is skipped with the reason when the copy of its metadata does not fit', async () => {
    const image = await cutOff(shop, await makeFileSystem(shop, 'ext4'));
    const context = await makeContext(shop, image, 'ext4');
    const files = { ...shop.host.files, freeBytes: async () => 1024 * 1024 };
    const cramped = { ...context, host: { ...shop.host, files } };
    expect(await fileSystemFor('ext4')?.check(cramped)).toMatchObject({
      outcome: 'skipped',
      needsReplay: true,
      detail: expect.stringMatching(/needs about \d+ MiB, and .* has 1 MiB free/),
    });
  });

  it('stops when it is interrupted, and leaves nothing in the scratch directory', async () => {
    const image = await cutOff(shop, await makeFileSystem(shop, 'ext4'));
    const context = await makeContext(shop, image, 'ext4');
    const abort = new AbortController();
    const onProgress = () => abort.abort();
    const interrupted = { ...context, signal: abort.signal, onProgress };
    await expect(fileSystemFor('ext4')?.check(interrupted)).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
    expect(await readdir(context.scratchDirectory)).toEqual([]);
  });
});
