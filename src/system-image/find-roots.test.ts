import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeTree, type TreeEntry } from '../../fixtures/make-tree.ts';
import { type Files, hostFiles } from '../host/files.ts';
import { findRoots } from './find-roots.ts';

const system = (top: string): Record<string, TreeEntry> => ({
  [`${top}etc/fstab`]: '',
  [`${top}etc/os-release`]: 'ID=debian',
  [`${top}bin/sh`]: { program: 'x' },
});

/** Host files on which the given directories look like btrfs subvolumes. */
const withSubvolumes = (root: string, paths: readonly string[]): Files => ({
  ...hostFiles,
  status: async (path) => {
    const status = await hostFiles.status(path);
    const index = paths.findIndex((subvolume) => join(root, subvolume) === path);
    return status === null || index < 0 ? status : { ...status, ino: 256, dev: 5000 + index };
  },
});

test('an ordinary root is found at the top, and a tree made below it is none', async () => {
  await using tree = await makeTree({
    ...system(''),
    ...system('srv/chroot/'),
    ...system('chroot/'),
  });
  expect(await findRoots(hostFiles, tree.root)).toEqual([
    { path: '', kind: 'plain', snapshot: false },
  ]);
});

test('a data disk has no root, even with a tree in one of its directories', async () => {
  await using tree = await makeTree(system('backup/'));
  expect(await findRoots(hostFiles, tree.root)).toEqual([]);
});

test('subvolumes are found under any name, snapshots after them', async () => {
  await using tree = await makeTree({
    ...system('@rootfs/'),
    ...system('old/name/'),
    ...system('@rootfs/.snapshots/7/snapshot/'),
    ...system('timeshift-btrfs/snapshots/2024-01-01_10-00-00/@/'),
    '@home/anna/.bashrc': 'x',
  });
  const files = withSubvolumes(tree.root, [
    '@rootfs',
    '@home',
    'old/name',
    '@rootfs/.snapshots/7/snapshot',
    'timeshift-btrfs/snapshots/2024-01-01_10-00-00/@',
  ]);
  expect(await findRoots(files, tree.root)).toEqual([
    { path: '@rootfs', kind: 'subvolume', snapshot: false },
    { path: 'old/name', kind: 'subvolume', snapshot: false },
    { path: '@rootfs/.snapshots/7/snapshot', kind: 'subvolume', snapshot: true },
    { path: 'timeshift-btrfs/snapshots/2024-01-01_10-00-00/@', kind: 'subvolume', snapshot: true },
  ]);
});

test('openSUSE runs from a snapshot: the default subvolume is a system of its own', async () => {
  const current = '@/.snapshots/2/snapshot';
  await using tree = await makeTree({
    ...system('@/.snapshots/1/snapshot/'),
    ...system(`${current}/`),
    '@/var/lib': { directory: true },
  });
  const files = withSubvolumes(tree.root, [
    '@',
    '@/.snapshots',
    '@/.snapshots/1/snapshot',
    current,
  ]);
  expect(await findRoots(files, tree.root, { defaultSubvolume: current })).toEqual([
    { path: current, kind: 'subvolume', snapshot: false },
    { path: '@/.snapshots/1/snapshot', kind: 'subvolume', snapshot: true },
  ]);
});

test('an rsync snapshot of Timeshift on ext4 comes after the system itself', async () => {
  await using tree = await makeTree({
    ...system(''),
    ...system('timeshift/snapshots/2024-01-01_10-00-00/localhost/'),
  });
  expect((await findRoots(hostFiles, tree.root)).map((root) => root.snapshot)).toEqual([
    false,
    true,
  ]);
});

test('OSTree deployments are the roots, not the directory that holds them', async () => {
  const deployment = `ostree/deploy/fedora/deploy/${'a1'.repeat(32)}.0`;
  await using tree = await makeTree({
    ...system(`${deployment}/`),
    'ostree/deploy/fedora/var/home': { directory: true },
    [`${deployment}.origin`]: 'x',
    'ostree/repo/config': 'x',
  });
  expect(await findRoots(hostFiles, tree.root)).toEqual([
    { path: deployment, kind: 'ostree', snapshot: false },
  ]);
});

test('links to the host lead to no root', async () => {
  await using tree = await makeTree({ '@': { link: '/../../../../..' }, ostree: { link: '/' } });
  expect(await findRoots(hostFiles, tree.root)).toEqual([]);
});
