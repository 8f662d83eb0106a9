import { mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Device } from '../devices/device.ts';
import { findDevice, readDevices } from '../devices/read-devices.ts';
import { createHost } from '../host/host.ts';
import { addLoopPartitions, removePartitions } from './partitions.ts';

const host = createHost();
const mebibyte = 2 ** 20;

let directory = '';
let file = '';
let takeDown: (() => Promise<unknown>)[] = [];

const run = async (program: string, ...args: readonly string[]): Promise<string> =>
  (await host.run({ program, args })).stdout;

const table = (lines: readonly string[]) =>
  host.run({ program: 'sfdisk', args: ['--quiet', file], input: `${lines.join('\n')}\n` });

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rescuekit-gpt-'));
  file = join(directory, 'disk.img');
  await writeFile(file, '');
  await truncate(file, 64 * mebibyte);
  const bios = 'size=1MiB, type=21686148-6449-6E6F-744E-656564454649';
  await table(['label: gpt', bios, 'size=30MiB, name="root é"']);
  const place = `offset=${2 * mebibyte}`;
  await run('mke2fs', '-q', '-t', 'ext4', '-L', 'root', '-E', place, file, '30M');
});

afterEach(async () => {
  for (const undo of takeDown.reverse()) await undo();
  takeDown = [];
  await rm(directory, { recursive: true });
});

const attach = async (): Promise<string> => {
  const loop = (await run('losetup', '--find', '--show', file)).trim();
  takeDown.push(() => run('losetup', '--detach', loop));
  return loop;
};

const read = async (loop: string): Promise<Device> => {
  const device = findDevice(await readDevices(host, { isOwnMount: () => false }), loop);
  if (device === null) throw new Error(`${loop} is not listed`);
  return device;
};

const facts = ({ children }: Device) =>
  children.map(({ kind, sizeBytes, partition, fsType, label, uuid }) => ({
    ...{ kind, sizeBytes, partition, fsType, label, uuid },
  }));

/** Overwrites the beginning of the image, as a wrong `dd` does. */
const overwrite = async (bytes: number, mark: boolean): Promise<void> => {
  const disk = await open(file, 'r+');
  await disk.write(Buffer.alloc(bytes), 0, bytes, 0);
  if (mark) await disk.write(Buffer.from([0x55, 0xaa]), 0, 2, 510);
  await disk.close();
};

test.each([
  ['the first sector was overwritten', 512, false],
  ['the first sector was overwritten but for its mark', 512, true],
  ['the first sector and the table behind it were overwritten', 34 * 512, false],
] as const)('%s: the same partitions are found, added and taken away', async (_, bytes, mark) => {
  const whole = facts(await read(await attach()));
  await takeDown.pop()?.();
  await overwrite(bytes, mark);
  const loop = await attach();
  const found = await read(loop);
  expect(found.partitionTable).toBe('gpt');
  expect(facts(found)).toEqual(whole);

  const step = await addLoopPartitions(host, loop);
  if (step?.undo?.kind !== 'remove-partitions') throw new Error('there is no step');
  const { undo } = step;
  takeDown.push(() => removePartitions(host, undo));
  for (const command of step.commands) await host.run(command);
  const known = await read(loop);
  expect(known.children.map(({ path }) => path)).toEqual([`${loop}p1`, `${loop}p2`]);
  expect(known.partitionTable).toBe('gpt');
  expect(facts(known)).toEqual(whole);
  expect(await addLoopPartitions(host, loop)).toBeNull();

  expect(await removePartitions(host, undo)).toEqual({ outcome: 'undone' });
  expect((await read(loop)).children.map(({ path }) => path)).toEqual([null, null]);
});

test('what an MBR has taken the place of is no table any more', async () => {
  await table(['label: dos', 'size=8MiB, type=83']);
  const disk = await read(await attach());
  expect(disk.partitionTable).toBe('dos');
  expect(disk.children).toHaveLength(1);
});

test('a disk that wipefs emptied has no partitions, though a copy of its table is left', async () => {
  // It takes no table away from what is no whole disk.
  await run('wipefs', '--all', '--force', '--quiet', file);
  expect(await read(await attach())).toMatchObject({ partitionTable: null, children: [] });
});
