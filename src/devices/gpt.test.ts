import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { emptyEntries, gptDisk } from '../../fixtures/gpt-disk.ts';
import {
  copiesAgree,
  gptPartitions,
  protectiveMbr,
  type ReadDisk,
  readGptCopy,
  twinOf,
} from './gpt.ts';

const sectorBytes = 512;
const sectors = 200;

/** A disk with a table of one partition. */
const makeDisk = (): Buffer => {
  const entries = emptyEntries();
  entries.write('a partition');
  return gptDisk(sectors, entries);
};

const readerOf =
  (disk: Buffer): ReadDisk =>
  async (offset, length) =>
    disk.subarray(offset, offset + length);

const lookAt = (disk: Buffer, at: number) => readGptCopy(readerOf(disk), sectorBytes, at);

const reasonOf = async (disk: Buffer): Promise<string | null> => {
  const look = await lookAt(disk, 1);
  return look.kind === 'damaged' ? look.reason : null;
};

test('a whole copy is read, and its twin made from it is whole and agrees', async () => {
  const disk = makeDisk();
  const primary = await lookAt(disk, 1);
  if (primary.kind !== 'valid') throw new Error(primary.reason);
  expect(primary.copy).toMatchObject({ alternate: 199, firstUsable: 34, entriesAt: 2 });
  const { header, entries } = twinOf(primary.copy, 199, 167);
  header.copy(disk, 199 * sectorBytes);
  entries.copy(disk, 167 * sectorBytes);
  const backup = await lookAt(disk, 199);
  if (backup.kind !== 'valid') throw new Error(backup.reason);
  expect(backup.copy.alternate).toBe(1);
  expect(copiesAgree(primary.copy, backup.copy)).toBe(true);
  // And back again: the same bytes as at first.
  expect(twinOf(backup.copy, 1, 2).header.equals(primary.copy.header)).toBe(true);
});

test('damage to header or list is told apart', async () => {
  expect(await reasonOf(makeDisk())).toBeNull();
  expect(await reasonOf(makeDisk().fill(0, 512, 1024))).toContain('no header');
  expect(await reasonOf(makeDisk().fill(7, 512 + 60, 512 + 61))).toContain('of its header');
  expect(await reasonOf(makeDisk().fill(7, 2000, 2001))).toContain('list of partitions is wrong');
  expect(await reasonOf(makeDisk().fill(0xff, 512 + 12, 512 + 16))).toContain('impossible size');
  expect(await reasonOf(makeDisk().subarray(0, 560))).toContain('no header');
  expect(await reasonOf(Buffer.alloc(0))).toContain('no header');
});

test('a header that belongs to another sector is no table', async () => {
  const disk = makeDisk();
  disk.copy(disk, 5 * sectorBytes, sectorBytes, 2 * sectorBytes);
  expect(await lookAt(disk, 5)).toEqual({
    kind: 'damaged',
    reason: 'its header belongs to another sector',
  });
});

test('the first sector announces the table by an entry of type ee', () => {
  const sector = Buffer.alloc(512);
  expect(protectiveMbr(sector)).toBe('missing');
  sector.writeUInt16LE(0xaa55, 510);
  expect(protectiveMbr(sector)).toBe('missing');
  sector[446 + 2 * 16 + 4] = 0xee;
  expect(protectiveMbr(sector)).toBe('protective');
  expect(protectiveMbr(sector.subarray(0, 100))).toBe('missing');
});

test('partitions have the numbers, places and identifiers that blkid gives them', async () => {
  const disk = makeDisk();
  const entries = disk.subarray(2 * sectorBytes, 34 * sectorBytes).fill(0);
  const third = entries.subarray(2 * 128, 3 * 128);
  Buffer.from('28732ac11ff8d211ba4b00a0c93ec93b', 'hex').copy(third);
  Buffer.from('00112233445566778899aabbccddeeff', 'hex').copy(third, 16);
  third.writeBigUInt64LE(40n, 32);
  third.writeBigUInt64LE(59n, 40);
  third.write('root é', 56, 'utf16le');
  const header = disk.subarray(sectorBytes, sectorBytes + 92);
  header.writeUInt32LE(crc32(entries), 88);
  header.writeUInt32LE(0, 16);
  header.writeUInt32LE(crc32(header), 16);
  const look = await lookAt(disk, 1);
  if (look.kind !== 'valid') throw new Error(look.reason);
  expect(gptPartitions(look.copy)).toEqual([
    {
      ...{ number: 3, first: 40, last: 59, label: 'root é' },
      type: 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b',
      uuid: '33221100-5544-7766-8899-aabbccddeeff',
    },
  ]);
});
