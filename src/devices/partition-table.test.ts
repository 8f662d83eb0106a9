import { expect, test } from 'vitest';
import { fakeHost, recorded } from '../../fixtures/fake-host.ts';
import { parseSfdisk, readPartitionTable } from './partition-table.ts';

test('a GPT is given in the notation of blkid and fstab, in bytes', () => {
  expect(parseSfdisk(recorded('sfdisk/gpt.json'), 512)[1]).toEqual({
    number: 2,
    name: 'loop0p2',
    startBytes: 4096 * 512,
    sizeBytes: 8 * 1024 * 1024,
    uuid: '8d9f918a-c874-674c-8088-99e04753262d',
    label: 'EFI System é <x>',
    type: 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b',
  });
});

test('an MBR keeps the numbers of its logical partitions and makes PARTUUIDs from the signature', () => {
  const entries = parseSfdisk(recorded('sfdisk/mbr.json'), 512);
  expect(entries.map(({ number, type, uuid }) => [number, type, uuid])).toEqual([
    [1, '0x83', '12345678-01'],
    [2, '0x5', '12345678-02'],
    [5, '0x83', '12345678-05'],
    [6, '0x82', '12345678-06'],
  ]);
});

test("a tool that does not print the sector size gets the kernel's", () => {
  const json = recorded('sfdisk/gpt.json').replace('"sectorsize": 512,', '');
  expect(parseSfdisk(json, 4096)[0]?.startBytes).toBe(2048 * 4096);
});

test('a disk whose name ends in a digit is not taken for a partition number', () => {
  const json = recorded('sfdisk/mbr.json').replaceAll('/dev/loop1', '/dev/nvme0n12');
  expect(parseSfdisk(json, 512).map((entry) => entry.number)).toEqual([1, 2, 5, 6]);
});

test('no table, or a disk that cannot be read, has no partitions', async () => {
  expect(
    await readPartitionTable(
      fakeHost(() => ({ exitCode: 1 })),
      '/dev/vda',
      512,
    ),
  ).toEqual([]);
});
