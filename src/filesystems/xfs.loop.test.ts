import { readdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeContext } from '../../fixtures/damage/check-context.ts';
import { cutOff, fill, makeFileSystem } from '../../fixtures/damage/file-systems.ts';
import { openWorkshop, type Workshop } from '../../fixtures/damage/workshop.ts';
import { spoilFreeBlocks, spoilLog } from '../../fixtures/damage/xfs.ts';
import type { LastResorts } from './file-system.ts';
import { xfsFileSystem } from './xfs.ts';
import { readLogState } from './xfs-state.ts';

let shop: Workshop;

beforeEach(async () => {
  shop = await openWorkshop();
});
afterEach(() => shop.close());

/** Checks an image through a loop device and makes sure that not one byte of it changes. */
const check = async (image: string) => {
  const before = await shop.sum(image);
  const device = await shop.attach(image);
  const context = await makeContext(shop, device, 'xfs');
  const result = await xfsFileSystem.check(context);
  await shop.detach(device);
  expect(await shop.sum(image)).toBe(before);
  expect(await readdir(context.scratchDirectory)).toEqual([]);
  return result;
};

const repair = async (image: string, lastResorts: Partial<LastResorts> = {}) => {
  const device = await shop.attach(image);
  const context = await makeContext(shop, device, 'xfs', lastResorts);
  const result = await xfsFileSystem.repair(context);
  await shop.detach(device);
  expect(await readdir(context.scratchDirectory)).toEqual([]);
  return result;
};

describe('XFS', () => {
  it('is clean when it was filled and unmounted in order', async () => {
    const image = await makeFileSystem(shop, 'xfs');
    await fill(shop, image);
    expect(await check(image)).toMatchObject({ outcome: 'clean', needsReplay: false });
  });

  it('is really cut off in these tests: its log is dirty', async () => {
    const image = await cutOff(shop, await makeFileSystem(shop, 'xfs'));
    const device = await shop.attach(image);
    expect(await readLogState(await makeContext(shop, device, 'xfs'))).toBe('dirty');
  });

  it('with a dirty log is looked at on a copy, where its false errors are gone', async () => {
    const image = await cutOff(shop, await makeFileSystem(shop, 'xfs'));
    expect(await check(image)).toMatchObject({
      outcome: 'damaged',
      needsReplay: true,
      detail: expect.stringContaining('After replay it is consistent'),
      evidence: [],
    });
  });

  it('with a dirty log is repaired by replaying it, and is clean then', async () => {
    const image = await cutOff(shop, await makeFileSystem(shop, 'xfs'));
    expect(await repair(image)).toMatchObject({ outcome: 'repaired', needsReplay: false });
    expect(await check(image)).toMatchObject({ outcome: 'clean' });
  });

  it('is looked at while another with its UUID is mounted', async () => {
    const image = await makeFileSystem(shop, 'xfs');
    const cut = await cutOff(shop, image);
    const device = await shop.attach(image);
    await shop.mounted(device, 'nouuid', async () => {
      expect(await check(cut)).toMatchObject({ outcome: 'damaged', needsReplay: true });
      expect(await repair(cut)).toMatchObject({ outcome: 'repaired' });
    });
  });

  it('with wrong counts is damaged, is mended, and is clean then', async () => {
    const image = await makeFileSystem(shop, 'xfs');
    await spoilFreeBlocks(shop, image);
    const found = await check(image);
    expect(found).toMatchObject({ outcome: 'damaged', needsReplay: false });
    expect(found.evidence.join()).toContain('sb_fdblocks 5');
    expect(await repair(image)).toMatchObject({ outcome: 'repaired' });
    expect(await check(image)).toMatchObject({ outcome: 'clean' });
  });

  it('with a log that cannot be replayed keeps it unless its loss was allowed', async () => {
    const image = await cutOff(shop, await makeFileSystem(shop, 'xfs'));
    await spoilLog(shop, image);
    const found = await check(image);
    expect(found).toMatchObject({ outcome: 'damaged', needsReplay: true });
    expect(found.detail).toContain('--xfs-zero-log');
    const before = await shop.sum(image);
    expect(await repair(image)).toMatchObject({ outcome: 'damaged', needsReplay: true });
    expect(await shop.sum(image)).toBe(before);
    expect(await repair(image, { zeroXfsLog: true })).toMatchObject({ outcome: 'repaired' });
    expect(await check(image)).toMatchObject({ outcome: 'clean' });
  });

  it('without a superblock is damaged and not an error', async () => {
    const image = await makeFileSystem(shop, 'xfs');
    await shop.write(image, 0, new Uint8Array(512));
    const found = await check(image);
    expect(found.outcome).toBe('damaged');
    expect(found.evidence.join()).toContain('bad primary superblock');
  });

  it('can be mounted with its look options without a byte being written', async () => {
    const image = await cutOff(shop, await makeFileSystem(shop, 'xfs'));
    const before = await shop.sum(image);
    const device = await shop.attach(image);
    await shop.mounted(device, xfsFileSystem.lookOptions.join(','), (path) => readdir(path));
    await shop.detach(device);
    expect(await shop.sum(image)).toBe(before);
  });

  it('leaves no mount behind when it is interrupted while the log is replayed', async () => {
    const image = await cutOff(shop, await makeFileSystem(shop, 'xfs'));
    const context = await makeContext(shop, await shop.attach(image), 'xfs');
    const abort = new AbortController();
    const interrupted = {
      ...context,
      signal: abort.signal,
      onProgress: ({ message }: { message: string }) => {
        if (message === 'replaying the log') abort.abort();
      },
    };
    await expect(xfsFileSystem.check(interrupted)).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(await readdir(context.scratchDirectory)).toEqual([]);
  });
});
