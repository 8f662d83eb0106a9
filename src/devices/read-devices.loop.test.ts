import { createHash } from 'node:crypto';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createHost } from '../host/host.ts';
import type { Device } from './device.ts';
import { findDevice, readDevices } from './read-devices.ts';

const host = createHost();
const run = async (program: string, ...args: readonly string[]): Promise<string> =>
  (await host.run({ program, args })).stdout;

let directory = '';
let takeDown: (() => Promise<unknown>)[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rescuekit-devices-'));
});

afterEach(async () => {
  for (const undo of takeDown.reverse()) await undo();
  takeDown = [];
  rmSync(directory, { recursive: true, force: true });
});

const mebibyte = 2 ** 20;

const image = (): string => {
  const file = join(directory, 'disk.img');
  writeFileSync(file, '');
  truncateSync(file, 64 * mebibyte);
  return file;
};

const partition = async (file: string, script: readonly string[]): Promise<void> => {
  await host.run({ program: 'sfdisk', args: ['--quiet', file], input: `${script.join('\n')}\n` });
};

const ext4At = (file: string, label: string, offsetBytes: number, size: string) =>
  run('mke2fs', '-q', '-t', 'ext4', '-L', label, '-E', `offset=${offsetBytes}`, file, size);

const attach = async (file: string): Promise<string> => {
  const loop = (await run('losetup', '--find', '--show', file)).trim();
  takeDown.push(() => run('losetup', '--detach', loop));
  return loop;
};

/** Makes the kernel know the partitions, as it does by itself where it reads tables. */
const addPartitions = async (loop: string): Promise<void> => {
  await run('partx', '--add', loop);
  takeDown.push(() => run('partx', '--delete', loop));
};

const digest = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

const readOne = async (loop: string): Promise<Device> => {
  const devices = await readDevices(host, { isOwnMount: () => false });
  const device = findDevice(devices, loop);
  if (device === null) throw new Error(`${loop} is not listed`);
  return device;
};

const gpt = async (): Promise<string> => {
  const file = image();
  await partition(file, [
    'label: gpt',
    'size=1MiB, type=21686148-6449-6E6F-744E-656564454649',
    'size=30MiB, name="root é"',
  ]);
  await ext4At(file, 'gptroot', 2 * mebibyte, '30M');
  return file;
};

const mbr = async (): Promise<string> => {
  const file = image();
  await partition(file, [
    'label: dos',
    'label-id: 0x12345678',
    `${file}1 : size=8MiB, type=83`,
    `${file}2 : type=5`,
    `${file}5 : size=20MiB, type=83`,
    `${file}6 : size=8MiB, type=82`,
  ]);
  await ext4At(file, 'first', mebibyte, '8M');
  await ext4At(file, 'logical', 10 * mebibyte, '20M');
  return file;
};

/** What must be the same whether the kernel knows the partitions or not. */
const facts = (device: Device) =>
  device.children
    // The kernel gives an extended partition two sectors: room for a boot loader.
    .map((child) => ({
      ...child,
      sizeBytes: child.partition?.type === '0x5' ? 0 : child.sizeBytes,
    }))
    .map(({ name, kind, sizeBytes, partition: entry, fsType, label, uuid, partitionTable }) => ({
      name,
      kind,
      sizeBytes,
      entry,
      fsType,
      label,
      uuid,
      partitionTable,
    }));

test.each([
  ['GPT', gpt, [null, 'gptroot']],
  ['MBR with logical partitions', mbr, ['first', null, 'logical', null]],
] as const)(
  '%s: the same partitions with and without the kernel knowing them',
  async (_, make, labels) => {
    const file = await make();
    const before = digest(file);
    const loop = await attach(file);
    const unknown = await readOne(loop);
    expect(unknown.children.map((child) => child.path)).toEqual(labels.map(() => null));
    expect(unknown.children.map((child) => child.label)).toEqual(labels);
    await addPartitions(loop);
    const known = await readOne(loop);
    expect(known.children.map((child) => child.path)).toEqual(
      known.children.map((child) => `/dev/${child.name}`),
    );
    expect(facts(known)).toEqual(facts(unknown));
    expect(known.backingFile).toBe(file);
    expect(digest(file)).toBe(before);
  },
);

test('a file system on the whole disk has no partitions', async () => {
  const file = image();
  await run('mke2fs', '-q', '-t', 'ext4', '-L', 'a "b" \\x41', file);
  const before = digest(file);
  const device = await readOne(await attach(file));
  expect(device).toMatchObject({
    fsType: 'ext4',
    label: 'a "b" \\x41',
    partitionTable: null,
    children: [],
  });
  expect(digest(file)).toBe(before);
});

test('an empty disk is listed with nothing on it', async () => {
  const file = image();
  const before = digest(file);
  const device = await readOne(await attach(file));
  expect(device).toMatchObject({
    fsType: null,
    partitionTable: null,
    children: [],
    protected: null,
  });
  expect(digest(file)).toBe(before);
});

test('two file systems on one disk are called ambiguous', async () => {
  const file = image();
  await run('mke2fs', '-q', '-t', 'ext4', file);
  // A squashfs superblock (version 4) before ext4's, which begins at byte 1024.
  const superblock = Buffer.alloc(96);
  superblock.write('hsqs', 0, 'latin1');
  superblock.writeUInt16LE(4, 28);
  const disk = openSync(file, 'r+');
  writeSync(disk, superblock, 0, superblock.length, 0);
  closeSync(disk);
  expect((await readOne(await attach(file))).fsType).toBe('ambiguous');
});

test('a mounted image is protected until it is unmounted, unless the mount is our own', async () => {
  const file = image();
  await run('mke2fs', '-q', '-t', 'ext4', file);
  const loop = await attach(file);
  const point = join(directory, 'm nt');
  await host.files.makeDirectory(point, 0o700);
  await run('mount', '--options', 'ro,noload', loop, point);
  takeDown.push(() => run('umount', point));
  expect(await readOne(loop)).toMatchObject({
    protected: { reason: `mounted at ${point}` },
    mountpoints: [point],
  });
  const own = await readDevices(host, { isOwnMount: (path) => path === point });
  expect(findDevice(own, loop)?.protected).toBeNull();
});

test("the disk of this machine's root is protected", async () => {
  const devices = await readDevices(host, { isOwnMount: () => false });
  const roots = devices.filter((device) => device.protected?.reason.includes(': / is on it'));
  expect(roots).not.toEqual([]);
});
