import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, rmdir, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createHost } from '../host/host.ts';
import { detachLoop } from './loop.ts';

const host = createHost();

let directory = '';
let image = '';
let mountPoint = '';
let loop = '';

const run = async (program: string, ...args: readonly string[]): Promise<string> =>
  (await host.run({ program, args })).stdout;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rescuekit-detach-'));
  image = join(directory, 'disk.img');
  mountPoint = join(directory, 'mnt');
  await mkdir(mountPoint);
  await writeFile(image, '');
  await truncate(image, 32 * 2 ** 20);
  await run('mke2fs', '-q', '-t', 'ext4', image);
  loop = (await run('losetup', '--find', '--show', image)).trim();
  await run('mount', loop, mountPoint);
});

afterEach(async () => {
  await detachLoop(host, loop, image);
  await rm(directory, { recursive: true });
});

/** A program whose mounts are a copy of those of now. */
const withCopies = async (work: (pid: number) => Promise<void>): Promise<void> => {
  const script = "exec unshare --mount sh -c 'echo ready; exec sleep 600'";
  const child = spawn('sh', ['-c', script], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    await once(child.stdout, 'data');
    await work(child.pid ?? 0);
  } finally {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
};

test('a device whose file system is mounted is left, and comes down when it is not any more', async () => {
  expect(await detachLoop(host, loop, image)).toEqual({
    outcome: 'left',
    reason: `${loop} is busy: the kernel says busy, no process was found`,
  });
  await run('umount', mountPoint);
  // The kernel has noted the wish, and lets go with the last user.
  expect((await detachLoop(host, loop, image)).outcome).toMatch(/undone|gone/);
});

test('a program that holds a copy of the mount is named', async () => {
  await withCopies(async (pid) => {
    await run('umount', mountPoint);
    expect(await detachLoop(host, loop, image)).toEqual({
      outcome: 'left',
      reason: expect.stringContaining(`(pid ${pid}, its mount namespace, at ${mountPoint})`),
    });
  });
  expect((await detachLoop(host, loop, image)).outcome).toMatch(/undone|gone/);
});

test('removing the mount point takes the copies away', async () => {
  await withCopies(async () => {
    await run('umount', mountPoint);
    await rmdir(mountPoint);
    expect(await detachLoop(host, loop, image)).toEqual({ outcome: 'undone' });
  });
});
