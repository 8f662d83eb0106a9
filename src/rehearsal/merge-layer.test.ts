import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeStore } from '../../fixtures/exception-store.ts';
import { createHost, type Host } from '../host/host.ts';
import { forceBack } from './force-back.ts';
import { layerFiles, readPieces, sealLayer } from './layer-store.ts';
import { type MergeDirection, mergeLayers } from './merge-layer.ts';
import type { Piece } from './pieces.ts';

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

const merge = (
  direction: MergeDirection,
  { onStart = async () => {}, begun = false, on = host } = {},
) => {
  const one = { name: 'the disk', path: disk, files: layerFiles(directory, 1) };
  return mergeLayers(on, [one], { direction, begun }, onStart, () => {});
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
  await expect(merge('commit', { onStart: begun })).rejects.toMatchObject({
    code: 'DISK_CHANGED',
    exit: 4,
  });
  expect(started).toBe(false);
  expect(await readFile(disk)).toEqual(changed);
});

/** This machine, on which a file has a bad sector. */
const withBadSector = (path: string, badAtBytes: number): Host => ({
  ...host,
  files: {
    ...host.files,
    openRaw: async (opened, mode) => {
      const file = await host.files.openRaw(opened, mode);
      if (opened !== path) return file;
      const touches = (at: number, bytes: number) => at <= badAtBytes && badAtBytes < at + bytes;
      const failing =
        <T>(work: (at: number, more: T) => Promise<unknown>, bytesOf: (more: T) => number) =>
        async (at: number, more: T) => {
          if (touches(at, bytesOf(more))) throw new Error('EIO: i/o error');
          return work(at, more);
        };
      return {
        ...file,
        read: failing(file.read, (bytes: number) => bytes) as typeof file.read,
        write: failing(file.write, ({ length }: Buffer) => length) as typeof file.write,
      };
    },
  },
});

const halfWritten = () =>
  writeFile(
    disk,
    Buffer.concat([wanted.subarray(0, 5 * chunkBytes), original.subarray(5 * chunkBytes)]),
  );

it('is taken back in the midst of a commit when only the layer cannot be read any more', async () => {
  await seal();
  const { store, list } = layerFiles(directory, 1);
  const [{ runs }] = (await readPieces(host.files, list)) as readonly [Piece];
  const on = withBadSector(store, runs[0]?.atBytes ?? 0);
  await halfWritten();
  await expect(merge('commit', { begun: true, on })).rejects.toMatchObject({
    code: 'LAYER_DAMAGED',
  });
  await merge('undo', { begun: true, on });
  expect(await readFile(disk)).toEqual(original);
});

it('is finished when only what the disk had before cannot be read any more, and not begun', async () => {
  await seal();
  const on = withBadSector(layerFiles(directory, 1).before, 0);
  await expect(merge('commit', { on })).rejects.toMatchObject({ code: 'LAYER_DAMAGED' });
  expect(await readFile(disk)).toEqual(original);
  await halfWritten();
  await merge('commit', { begun: true, on });
  expect(await readFile(disk)).toEqual(wanted);
});

it('names the place that a disk does not give, and writes nothing', async () => {
  await seal();
  await halfWritten();
  const before = await readFile(disk);
  const on = withBadSector(disk, 20 * chunkBytes);
  await expect(merge('undo', { begun: true, on })).rejects.toMatchObject({
    code: 'DISK_UNREADABLE',
    message: expect.stringContaining(`${20 * chunkBytes}`),
  });
  expect(await readFile(disk)).toEqual(before);
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

describe('by force', () => {
  const force = (on = host, begun = true) => {
    const one = { name: 'the disk', path: disk, files: layerFiles(directory, 1) };
    return forceBack(
      on,
      [one],
      begun,
      async () => {},
      () => {},
    );
  };

  it('is put back over what somebody has written since only when it is half written', async () => {
    await seal();
    const changed = Buffer.from(wanted);
    changed[3 * chunkBytes + 7] = 1;
    await writeFile(disk, changed);
    await expect(merge('undo', { begun: true })).rejects.toMatchObject({ code: 'DISK_CHANGED' });
    // After a whole commit the disk may have been in use.
    await expect(force(host, false)).rejects.toMatchObject({ code: 'DISK_CHANGED' });
    expect(await readFile(disk)).toEqual(changed);
    expect(await force()).toEqual([]);
    expect(await readFile(disk)).toEqual(original);
  });

  it('goes on past a place that the disk does not give, and names it', async () => {
    await seal();
    await writeFile(disk, wanted);
    const left = await force(withBadSector(disk, 3 * chunkBytes));
    expect(left).toEqual([
      {
        what: `${2 * chunkBytes} bytes of the disk from byte ${3 * chunkBytes} on`,
        reason: 'EIO: i/o error',
      },
    ]);
    const half = Buffer.from(original);
    wanted.copy(half, 3 * chunkBytes, 3 * chunkBytes, 5 * chunkBytes);
    expect(await readFile(disk)).toEqual(half);
  });

  it('leaves alone what it has no whole copy of, and needs no layer', async () => {
    await seal();
    await writeFile(disk, wanted);
    const { before, store } = layerFiles(directory, 1);
    await rm(store);
    const left = await force(withBadSector(before, 0));
    expect(left.map(({ reason }) => reason)).toEqual([
      'what the disk held there is not kept whole',
    ]);
    const half = Buffer.from(original);
    wanted.copy(half, 3 * chunkBytes, 3 * chunkBytes, 5 * chunkBytes);
    expect(await readFile(disk)).toEqual(half);
  });

  it('names a disk of which nothing is known any more', async () => {
    await seal();
    await rm(layerFiles(directory, 1).list);
    expect(await force()).toMatchObject([{ what: 'the disk' }]);
  });
});
