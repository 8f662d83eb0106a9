import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeStore } from '../../fixtures/exception-store.ts';
import { createHost } from '../host/host.ts';
import { layerFiles, sealLayer } from './layer-store.ts';
import { type MergeDirection, mergeLayers } from './merge-layer.ts';

const host = createHost();
const chunkBytes = 4096;
const original = Buffer.alloc(20 * chunkBytes + 512, 'o');
let directory = '';
let disk = '';

/** Chunks 3, 4 and the last part of one differ; chunk 9 was written and is the same. */
const written = [3, 4, 20, 9].map((origin) => ({
  origin,
  content: Buffer.alloc(chunkBytes, origin === 9 ? 'o' : 'n'),
}));

const wanted = Buffer.from(original);
wanted.fill('n', 3 * chunkBytes, 5 * chunkBytes);
wanted.fill('n', 20 * chunkBytes);

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rescuekit-merge-'));
  disk = join(directory, 'disk.raw');
  await writeFile(disk, original);
  await writeFile(layerFiles(directory, 1).store, makeStore(chunkBytes, written));
});
afterEach(() => rm(directory, { recursive: true }));

const merge = (direction: MergeDirection, onStart = async () => {}) => {
  const one = { name: 'the disk', path: disk, files: layerFiles(directory, 1) };
  return mergeLayers(host, [one], direction, onStart, () => {});
};

const seal = () => sealLayer(host.files, disk, layerFiles(directory, 1));

it('counts what differs, and not what was written as it was', async () => {
  expect(await seal()).toEqual({
    blockBytes: chunkBytes,
    changedBlocks: 3,
    changedBytes: 2 * chunkBytes + 512,
    writtenBlocks: 4,
  });
  expect(await readFile(disk)).toEqual(original);
});

it('is written to the disk, and taken back to the byte', async () => {
  await seal();
  await merge('commit');
  expect(await readFile(disk)).toEqual(wanted);
  await merge('undo');
  expect(await readFile(disk)).toEqual(original);
});

it('goes on where it was cut off, in either direction', async () => {
  await seal();
  for (const at of [0, 3 * chunkBytes + 512, 4 * chunkBytes, 20 * chunkBytes]) {
    await writeFile(disk, Buffer.concat([wanted.subarray(0, at), original.subarray(at)]));
    await merge('commit');
    expect(await readFile(disk)).toEqual(wanted);
    await writeFile(disk, Buffer.concat([original.subarray(0, at), wanted.subarray(at)]));
    await merge('undo');
    expect(await readFile(disk)).toEqual(original);
  }
});

it('is refused before the first byte when the disk was changed there since', async () => {
  await seal();
  const changed = Buffer.from(original);
  changed[20 * chunkBytes + 5] = 1;
  await writeFile(disk, changed);
  let started = false;
  const begun = async () => {
    started = true;
  };
  await expect(merge('commit', begun)).rejects.toMatchObject({ code: 'DISK_CHANGED', exit: 4 });
  expect(started).toBe(false);
  expect(await readFile(disk)).toEqual(changed);
});

it('is refused when what was kept is not what it was', async () => {
  await seal();
  const { before } = layerFiles(directory, 1);
  const kept = await readFile(before);
  kept[0] = 1;
  await writeFile(before, kept);
  await expect(merge('undo')).rejects.toMatchObject({ code: 'LAYER_DAMAGED' });
  expect(await readFile(disk)).toEqual(original);
});
