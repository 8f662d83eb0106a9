import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeContext } from '../../fixtures/damage/check-context.ts';
import { makeFileSystem } from '../../fixtures/damage/file-systems.ts';
import { markNotUnmounted, spoilAllocationTable } from '../../fixtures/damage/vfat.ts';
import { openWorkshop, type Workshop } from '../../fixtures/damage/workshop.ts';
import { vfatFileSystem } from './vfat.ts';

let shop: Workshop;

beforeEach(async () => {
  shop = await openWorkshop();
});
afterEach(() => shop.close());

/** Checks an image through a loop device and makes sure that not one byte of it changes. */
const check = async (image: string) => {
  const before = await shop.sum(image);
  const device = await shop.attach(image);
  const result = await vfatFileSystem.check(await makeContext(shop, device, 'vfat'));
  await shop.detach(device);
  expect(await shop.sum(image)).toBe(before);
  return result;
};

const repair = async (image: string) => {
  const device = await shop.attach(image);
  const result = await vfatFileSystem.repair(await makeContext(shop, device, 'vfat'));
  await shop.detach(device);
  return result;
};

describe('FAT', () => {
  it('is clean when nothing is wrong with it', async () => {
    expect(await check(await makeFileSystem(shop, 'vfat'))).toMatchObject({ outcome: 'clean' });
  });

  it('that was not unmounted says so, and repair takes the mark away', async () => {
    const image = await makeFileSystem(shop, 'vfat');
    await markNotUnmounted(shop, image);
    const found = await check(image);
    expect(found.outcome).toBe('damaged');
    expect(found.detail).toContain('nothing else is wrong');
    expect(await repair(image)).toMatchObject({ outcome: 'repaired' });
    expect(await check(image)).toMatchObject({ outcome: 'clean' });
  });

  it('with a damaged allocation table is damaged, and mended with the table that is left', async () => {
    const image = await makeFileSystem(shop, 'vfat');
    await spoilAllocationTable(shop, image);
    const found = await check(image);
    expect(found.outcome).toBe('damaged');
    expect(found.evidence.join()).toContain('FATs differ');
    expect(await repair(image)).toMatchObject({ outcome: 'repaired' });
    expect(await check(image)).toMatchObject({ outcome: 'clean' });
  });
});
