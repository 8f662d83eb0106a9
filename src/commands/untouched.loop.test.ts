import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { MadeDisk } from '../../fixtures/disk-image.ts';
import { cutOff, type LeanName, leanDisk } from '../../fixtures/lean-disk.ts';
import { withLoop } from '../../fixtures/make-file-system.ts';
import { type Lab, openLab } from '../../fixtures/rescuekit.ts';
import { checkDocumentSchema } from './check.ts';
import { inspectDocumentSchema } from './inspect.ts';
import { rescueDocumentSchema } from './rescue.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await openLab();
});
afterEach(() => lab.expectAsBefore());
afterAll(() => lab.close());

/** Runs a command on the image and makes sure that not one byte of it has changed. */
const untouched = async (file: string, before: string, words: readonly string[]) => {
  const answer = await lab.kit([...words, '--json']);
  expect(await lab.sum(file), `${words.join(' ')} has written to the disk`).toBe(before);
  return answer;
};

const ephemeral = (file: string, script: string) => [
  'rescue',
  file,
  '--ephemeral',
  '--exec',
  script,
];

describe.each(['ext4', 'xfs', 'btrfs'] as const)('a disk with %s', (fsType: LeanName) => {
  it('stays as it is when it is listed, inspected, checked and booted for a try', async () => {
    const { file } = await leanDisk(lab, fsType);
    const before = await lab.sum(file);
    expect((await untouched(file, before, ['list'])).exitCode).toBe(0);
    const inspected = await untouched(file, before, ['inspect', file]);
    expect(inspected.json(inspectDocumentSchema).systems).toHaveLength(1);
    const checked = await untouched(file, before, ['check', file]);
    expect(checked.exitCode).toBe(0);
    const { results } = checked.json(checkDocumentSchema);
    expect(results.map(({ outcome }) => outcome)).toEqual(['clean', 'clean']);
    const tried = await untouched(file, before, ephemeral(file, 'true'));
    expect(tried.exitCode).toBe(0);
    expect(tried.json(rescueDocumentSchema)).toMatchObject({ reachedTarget: true });
  });

  it('stays as it is, and is not called clean, when it was cut off while writing', async () => {
    const disk = await leanDisk(lab, fsType);
    await cutOff(lab, disk);
    const { file } = disk;
    const before = await lab.sum(file);
    expect((await untouched(file, before, ['list'])).exitCode).toBe(0);
    const inspected = await untouched(file, before, ['inspect', file]);
    expect(inspected.json(inspectDocumentSchema).systems).toHaveLength(1);
    const checked = await untouched(file, before, ['check', file]);
    expect(checked.exitCode).toBe(3);
    const { results } = checked.json(checkDocumentSchema);
    expect(results.find((result) => result.fsType === fsType && result.needsReplay)).toMatchObject({
      outcome: 'damaged',
    });
    const tried = await untouched(file, before, ephemeral(file, 'true'));
    expect(tried.exitCode).toBe(0);
    expect(tried.json(rescueDocumentSchema)).toMatchObject({ reachedTarget: true });
  });
});

/** Empties the inode of a file: the kernel meets an error when the name is looked up. */
const loseInode = (disk: MadeDisk, path: string) => {
  const root = disk.partitions.find(({ mount }) => mount === '/');
  if (root === undefined) throw new Error('the disk has no root');
  return withLoop(lab.host, { file: disk.file, ...root }, (device) =>
    lab.run('debugfs', '-w', '-R', `clri ${path}`, device),
  );
};

describe('a damaged disk that is attached writable, as volumes are', () => {
  it('stays as it is, though the kernel notes errors on disks that are mounted read-only', async () => {
    const disk = await leanDisk(lab, 'ext4');
    await loseInode(disk, '/etc/fstab');
    const before = await lab.sum(disk.file);
    const device = (await lab.run('losetup', '--find', '--show', disk.file)).trim();
    try {
      for (const words of [['inspect'], ['check'], ['mount', '--dry-run']]) {
        await untouched(disk.file, before, [...words, device]);
      }
      const tried = await untouched(disk.file, before, ephemeral(device, 'true'));
      expect(tried.exitCode).toBe(0);
    } finally {
      await lab.run('losetup', '--detach', device);
    }
  });
});

const writeEverywhere = `mount -o remount,rw /
mount -o remount,rw /var
mount -o remount,rw /boot
set -e
for place in / /var /boot; do echo written > "$place/by-the-guest"; done
cat /by-the-guest /var/by-the-guest /boot/by-the-guest
sync`;

describe('a disk with /var and /boot on partitions of their own', () => {
  it('stays as it is when the guest remounts all of it writable and writes', async () => {
    const { file } = await leanDisk(lab, 'separate');
    const before = await lab.sum(file);
    const tried = await untouched(file, before, ephemeral(file, writeEverywhere));
    const { exec, mounts } = tried.json(rescueDocumentSchema);
    expect(exec).toMatchObject({ exitCode: 0, stdout: 'written\nwritten\nwritten\n' });
    expect(mounts.map(({ target }) => target)).toEqual(['/', '/var', '/boot']);
  });

  it('stays as it is when all three were cut off while writing', async () => {
    const disk = await leanDisk(lab, 'separate', { fstabBy: 'label' });
    for (const mount of ['/', '/var', '/boot']) await cutOff(lab, disk, mount);
    const before = await lab.sum(disk.file);
    const tried = await untouched(disk.file, before, ephemeral(disk.file, writeEverywhere));
    expect(tried.json(rescueDocumentSchema).exec).toMatchObject({ exitCode: 0 });
  });

  it('stays as it is when the guest looks for the disk itself', async () => {
    const { file } = await leanDisk(lab, 'separate');
    const before = await lab.sum(file);
    const script =
      'find /dev -type b; mknod /run/disk b 7 0 && dd if=/dev/zero of=/run/disk count=1';
    const tried = await untouched(file, before, ephemeral(file, script));
    expect(tried.json(rescueDocumentSchema).exec).toMatchObject({ exitCode: 1, stdout: '' });
  });
});
