import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHost } from '../host/host.ts';
import { parseDebugfsNames, parseXfsNames, topNames } from './top-names.ts';

const host = createHost();
let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rescuekit-names-'));
});
afterAll(() => rm(directory, { recursive: true }));

test('the lines of debugfs and xfs_db are read', () => {
  const ext = '/2/040755/0/0/.//\n/12/040755/0/0/grub//\n/14/100644/0/0/vmlinuz-6.1/12/\n\n';
  expect(parseDebugfsNames(ext)).toEqual(['.', 'grub', 'vmlinuz-6.1']);
  const xfs =
    '8          128                directory      0x0000002e   1 . (good)\n14         131                regular        0x497e3128  11 vmlinuz-6.1 (good)\n';
  expect(parseXfsNames(xfs)).toEqual(['.', 'vmlinuz-6.1']);
});

test('names come from a file system that nobody has mounted', async () => {
  const path = join(directory, 'boot.img');
  const tree = join(directory, 'tree');
  await host.run({ program: 'mkdir', args: ['--parents', `${tree}/grub`, `${tree}/my loader`] });
  await host.run({ program: 'truncate', args: ['--size=8M', path] });
  await host.run({ program: 'mkfs.ext4', args: ['-q', '-d', tree, path] });
  expect((await topNames(host, { path, fsType: 'ext4' }))?.toSorted()).toEqual([
    ...['grub', 'lost+found', 'my loader'],
  ]);
});

test('what cannot be read has no names', async () => {
  const path = join(directory, 'nothing.img');
  await host.run({ program: 'truncate', args: ['--size=8M', path] });
  for (const fsType of ['ext4', 'xfs', 'vfat', 'btrfs', null]) {
    expect(await topNames(host, { path, fsType })).toBeNull();
  }
  expect(await topNames(host, { path: `${path}.gone`, fsType: 'vfat' })).toBeNull();
  expect(await topNames(host, { path: null, fsType: 'ext4' })).toBeNull();
});
