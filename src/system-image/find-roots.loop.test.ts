import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, rmdir, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { hostFiles } from '../host/files.ts';
import { findRoots } from './find-roots.ts';

const run = promisify(execFile);

const putSystem = async (top: string): Promise<void> => {
  await mkdir(join(top, 'etc'), { recursive: true });
  await mkdir(join(top, 'bin'));
  await writeFile(join(top, 'etc/fstab'), '');
  await writeFile(join(top, 'etc/os-release'), 'ID=debian\n');
};

test('subvolumes of a real btrfs are told from its directories, also when mounted read-only', async () => {
  await using stack = new AsyncDisposableStack();
  const top = await mkdtemp(join(tmpdir(), 'rescuekit-btrfs-'));
  stack.defer(() => rm(join(top, 'image'), { force: true }).then(() => rmdir(top)));
  const [image, mounted] = [join(top, 'image'), join(top, 'mounted')];
  await writeFile(image, '');
  await truncate(image, 256 * 1024 * 1024);
  await run('mkfs.btrfs', ['--quiet', image]);
  await mkdir(mounted);
  stack.defer(() => rmdir(mounted));
  await run('mount', ['--options', 'loop', image, mounted]);
  stack.defer(() => run('umount', [mounted]).then(() => undefined));
  for (const name of ['@rootfs', '@home', '@rootfs/.snapshots']) {
    await run('btrfs', ['subvolume', 'create', join(mounted, name)]);
  }
  await putSystem(join(mounted, '@rootfs'));
  await putSystem(join(mounted, 'plain-directory'));
  await mkdir(join(mounted, '@rootfs/.snapshots/1'));
  const snapshot = join(mounted, '@rootfs/.snapshots/1/snapshot');
  await run('btrfs', ['subvolume', 'snapshot', '-r', join(mounted, '@rootfs'), snapshot]);
  await run('mount', ['--options', 'remount,ro', mounted]);

  expect(await findRoots(hostFiles, mounted)).toEqual([
    { path: '@rootfs', kind: 'subvolume', snapshot: false },
    { path: '@rootfs/.snapshots/1/snapshot', kind: 'subvolume', snapshot: true },
  ]);
});
