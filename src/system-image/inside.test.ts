import { realpath, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeTree } from '../../fixtures/make-tree.ts';
import { hostFiles } from '../host/files.ts';
import { losslessBytes } from '../host/lossless-text.ts';
import {
  listInside,
  locateEntry,
  locateInside,
  readForEditInside,
  readInside,
  resolveInside,
} from './inside.ts';

test('an absolute link starts at the root and not at the host', async () => {
  await using tree = await makeTree({
    'etc/shadow': 'of the target',
    'etc/fstab': { link: '/etc/shadow' },
    'lib/systemd/systemd': { program: 'x' },
    'usr/sbin/init': { link: '../../../../../../lib/systemd/systemd' },
    sbin: { link: 'usr/sbin' },
  });
  expect(await readInside(hostFiles, tree.root, '/etc/fstab')).toBe('of the target');
  expect((await locateInside(hostFiles, tree.root, '/sbin/init'))?.path).toBe(
    '/lib/systemd/systemd',
  );
});

test('a directory that links to / is the root itself, never the host', async () => {
  await using tree = await makeTree({ etc: { link: '/' }, passwd: 'of the target' });
  expect(await readInside(hostFiles, tree.root, '/etc/passwd')).toBe('of the target');
  expect(await readInside(hostFiles, tree.root, '/etc/hostname')).toBeNull();
  expect(await resolveInside(hostFiles, tree.root, '/etc')).toBe(tree.root);
});

test('links with `..` and absolute host paths do not reach a file beside the root', async () => {
  await using tree = await makeTree({ 'a/up': { link: '../../outside/secret' } });
  await symlink(join(tree.outside, 'secret'), join(tree.root, 'a/absolute'));
  await symlink('../..', join(tree.root, 'a/out'));
  for (const path of ['a/up', 'a/absolute', 'a/out/outside/secret', '../outside/secret']) {
    expect(await readInside(hostFiles, tree.root, path)).toBeNull();
  }
});

test('loops, dangling links and files used as directories are absent', async () => {
  await using tree = await makeTree({
    one: { link: 'two' },
    two: { link: 'one' },
    self: { link: 'self/self' },
    gone: { link: '/nothing/here' },
    file: 'text',
  });
  for (const path of ['one', 'self', 'gone', 'file/below', 'file/..', 'a\0b', 'n'.repeat(300)]) {
    expect(await resolveInside(hostFiles, tree.root, path)).toBeNull();
  }
  expect((await locateEntry(hostFiles, tree.root, 'gone'))?.status.kind).toBe('symlink');
});

test('forty links are followed and the next one is not', async () => {
  const entries: Record<string, { link: string } | string> = { l0: 'end' };
  for (let index = 1; index <= 41; index += 1) entries[`l${index}`] = { link: `l${index - 1}` };
  await using tree = await makeTree(entries);
  expect(await readInside(hostFiles, tree.root, '/l40')).toBe('end');
  expect(await readInside(hostFiles, tree.root, '/l41')).toBeNull();
});

test('links that multiply their own path end as absent', async () => {
  const bomb: Record<string, { link: string }> = {};
  for (let index = 1; index < 39; index += 1) {
    bomb[`b${index}`] = {
      link: Array(500)
        .fill(`b${index - 1}`)
        .join('/../'),
    };
  }
  await using tree = await makeTree({ b0: { directory: true }, ...bomb });
  expect(await resolveInside(hostFiles, tree.root, '/b38')).toBeNull();
});

test('a FIFO is not read, and of a huge file only the start', async () => {
  await using tree = await makeTree({
    'etc/fstab': { fifo: true },
    'etc/hostname': { sizeBytes: 8 * 1024 ** 3 },
  });
  expect(await readInside(hostFiles, tree.root, '/etc/fstab')).toBeNull();
  expect((await readInside(hostFiles, tree.root, '/etc/hostname', 64))?.length).toBe(64);
  expect(await listInside(hostFiles, tree.root, '/etc/hostname')).toBeNull();
});

test('what is to be edited is read whole, or not at all', async () => {
  const large = Buffer.concat([Buffer.alloc(1_500_000, 'x'), Buffer.from('\xe9\n', 'latin1')]);
  await using tree = await makeTree({
    'etc/hosts': large,
    'etc/fstab': { sizeBytes: 17 * 1024 * 1024 },
    'etc/passwd': { fifo: true },
  });
  const text = await readForEditInside(hostFiles, tree.root, '/etc/hosts');
  expect(losslessBytes(text ?? '').equals(large)).toBe(true);
  await expect(readForEditInside(hostFiles, tree.root, '/etc/fstab')).rejects.toMatchObject({
    code: 'NOT_EDITED',
    message: '/etc/fstab is not edited: it has 17408 KiB, and at most 16384 KiB are edited.',
  });
  expect(await readForEditInside(hostFiles, tree.root, '/etc/passwd')).toBeNull();
  expect(await readForEditInside(hostFiles, tree.root, '/etc/group')).toBeNull();
});

test('a link from one mounted part leads into another one', async () => {
  await using tree = await makeTree({
    'usr/lib/os-release': 'ID=debian',
    'boot/grub/grub.cfg': 'x',
    'etc/os-release': { link: '../usr/lib/os-release' },
    'etc/grub.cfg': { link: '/boot/grub/grub.cfg' },
  });
  expect(await readInside(hostFiles, tree.root, '/etc/os-release')).toBe('ID=debian');
  expect(await readInside(hostFiles, tree.root, '/etc/grub.cfg')).toBe('x');
});

const part = fc.constantFrom('..', '.', 'a', 'b', 'etc', 'link', '', 'outside', 'secret');
const path = fc
  .tuple(fc.boolean(), fc.array(part, { minLength: 1, maxLength: 8 }))
  .map(([absolute, parts]) => `${absolute ? '/' : ''}${parts.join('/')}` || '.');

test('whatever the links say, the result is inside the root and goes through no link', async () => {
  await fc.assert(
    fc.asyncProperty(path, path, path, async (first, second, asked) => {
      await using tree = await makeTree({
        'a/b': { directory: true },
        'etc/link': { link: first },
        'a/link': { link: second },
        link: { link: `a/link/${first}` },
      });
      const found = await locateInside(hostFiles, tree.root, asked);
      if (found === null) return;
      expect(`${found.hostPath}/`.startsWith(`${tree.root}/`)).toBe(true);
      expect(await realpath(found.hostPath)).toBe(
        (await realpath(tree.root)) + found.hostPath.slice(tree.root.length),
      );
    }),
    { numRuns: 150 },
  );
});
