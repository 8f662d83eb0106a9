import { expect, it } from 'vitest';
import { blankDevice, type Device } from '../devices/device.ts';
import { disksOfSystem, standsOn } from './system-disks.ts';

const device = (name: string, children: readonly Device[] = []): Device => ({
  ...blankDevice,
  ...{ name, path: `/dev/${name}`, kind: 'disk', children: [...children] },
});

const order = (
  tree: readonly Device[],
  mounts: Readonly<Record<string, string>>,
  opened: readonly { readonly devices: readonly string[] }[] = [],
): readonly string[] =>
  disksOfSystem(
    { tree, opened },
    Object.entries(mounts).map(([target, path]) => ({ target, device: path })),
  ).map(({ name }) => name);

it('is the one disk of a plain system, whatever else is attached', () => {
  const tree = [device('vda', [device('vda1')]), device('vdb', [device('vdb1')])];
  expect(order(tree, { '/': '/dev/vdb1' })).toEqual(['vdb']);
});

it('begins with the disk that the boot loader is on, then comes the root', () => {
  const tree = ['vda', 'vdb', 'vdc'].map((name) => device(name, [device(`${name}1`)]));
  const mounts = { '/': '/dev/vdb1', '/boot': '/dev/vdc1', '/srv': '/dev/vda1' };
  expect(order(tree, mounts)).toEqual(['vdc', 'vdb', 'vda']);
});

it('has both disks of a mirror, and the disks of a group that also stands on another', () => {
  const root = device('dm-0');
  const array = device('md0', [root]);
  const tree = [device('vda', [array]), device('vdb', [array]), device('vdc'), device('vdd')];
  const group = { devices: ['/dev/md0', '/dev/vdc'] };
  expect(order(tree, { '/': '/dev/dm-0' }, [group])).toEqual(['vda', 'vdb', 'vdc']);
});

it('leaves out what is not there', () => {
  expect(order([device('vda')], { '/': '/dev/gone' })).toEqual([]);
});

it('tells the encrypted volume that a system stands on from another one of its disk', () => {
  const luks = device('vda2', [device('dm-0', [device('dm-1')])]);
  const other = device('vda3', [device('dm-2')]);
  const tree = [device('vda', [device('vda1'), luks, other])];
  const mounts = [
    { target: '/', device: '/dev/dm-1' },
    { target: '/srv', device: null },
  ];
  expect(standsOn(tree, mounts, ['/dev/vda2'])).toBe(true);
  expect(standsOn(tree, mounts, ['/dev/vda3', '/dev/gone'])).toBe(false);
});
