import { readdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { spoilLinkCount } from '../../fixtures/damage/btrfs.ts';
import { makeContext } from '../../fixtures/damage/check-context.ts';
import { cutOff, fill, makeFileSystem } from '../../fixtures/damage/file-systems.ts';
import { openWorkshop, type Workshop } from '../../fixtures/damage/workshop.ts';
import { btrfsFileSystem } from './btrfs.ts';
import type { LastResorts } from './file-system.ts';

let shop: Workshop;

beforeEach(async () => {
  shop = await openWorkshop();
});
afterEach(() => shop.close());

/** Checks an image through a loop device and makes sure that not one byte of it changes. */
const check = async (image: string) => {
  const before = await shop.sum(image);
  const device = await shop.attach(image);
  const context = await makeContext(shop, device, 'btrfs');
  const result = await btrfsFileSystem.check(context);
  await shop.detach(device);
  expect(await shop.sum(image)).toBe(before);
  return { result, progress: context.progress };
};

const repair = async (image: string, lastResorts: Partial<LastResorts> = {}) => {
  const device = await shop.attach(image);
  const context = await makeContext(shop, device, 'btrfs', lastResorts);
  const result = await btrfsFileSystem.repair(context);
  await shop.detach(device);
  expect(await readdir(context.scratchDirectory)).toEqual([]);
  return result;
};

describe('btrfs', () => {
  it('is clean when it was filled and unmounted in order, and tells its progress', async () => {
    const image = await makeFileSystem(shop, 'btrfs');
    await fill(shop, image);
    const { result, progress } = await check(image);
    expect(result).toMatchObject({ outcome: 'clean', needsReplay: false });
    expect(progress.map((one) => one.message)).toContain('step 2 of 7: checking extents');
  });

  it('with a log tree is not clean, and is clean after repair replayed it', async () => {
    const image = await cutOff(shop, await makeFileSystem(shop, 'btrfs'));
    expect((await check(image)).result).toMatchObject({ outcome: 'damaged', needsReplay: true });
    expect(await repair(image)).toMatchObject({ outcome: 'repaired', needsReplay: false });
    expect((await check(image)).result).toMatchObject({ outcome: 'clean' });
  });

  it('with real damage is mended by check --repair only when that was allowed', async () => {
    const image = await makeFileSystem(shop, 'btrfs');
    await fill(shop, image);
    await spoilLinkCount(shop, image);
    const { result } = await check(image);
    expect(result).toMatchObject({ outcome: 'damaged', needsReplay: false });
    expect(result.evidence.join()).toContain('link count wrong');
    expect(result.detail).toContain('--btrfs-repair');
    const before = await shop.sum(image);
    expect(await repair(image)).toMatchObject({ outcome: 'damaged' });
    expect(await shop.sum(image)).toBe(before);
    expect(await repair(image, { btrfsRepair: true })).toMatchObject({ outcome: 'repaired' });
    expect((await check(image)).result).toMatchObject({ outcome: 'clean' });
  });

  it('of which a device is missing is skipped with that reason, and left alone', async () => {
    const images = [await shop.image('one.img', 2e8), await shop.image('two.img', 2e8)];
    const devices = await Promise.all(images.map((image) => shop.attach(image)));
    await shop.host.run({ program: 'mkfs.btrfs', args: ['--quiet', ...devices] });
    for (const device of devices) await shop.detach(device);
    const first = images[0] ?? '';
    const before = await shop.sum(first);
    expect((await check(first)).result).toMatchObject({
      outcome: 'skipped',
      detail: expect.stringContaining('It spans 2 devices'),
    });
    expect(await repair(first)).toMatchObject({ outcome: 'skipped' });
    expect(await shop.sum(first)).toBe(before);
  });

  it('can be mounted with its look options without a byte being written', async () => {
    const image = await cutOff(shop, await makeFileSystem(shop, 'btrfs'));
    const before = await shop.sum(image);
    const device = await shop.attach(image);
    await shop.mounted(device, btrfsFileSystem.lookOptions.join(','), (path) => readdir(path));
    await shop.detach(device);
    expect(await shop.sum(image)).toBe(before);
  });
});
