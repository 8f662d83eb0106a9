import { expect, test } from 'vitest';
import { fakeHost } from '../../fixtures/fake-host.ts';
import { readStaleMappings } from './stale-mappings.ts';

const uuid = `LVM-${'a'.repeat(32)}${'b'.repeat(32)}`;
const mapping = (node: string, name: string, slave: string) => ({
  [`/sys/class/block/${node}`]: '',
  [`/sys/class/block/${node}/dm/name`]: `${name}\n`,
  [`/sys/class/block/${node}/dm/uuid`]: `${uuid}\n`,
  [`/sys/class/block/${node}/dev`]: '253:0\n',
  [`/sys/class/block/${node}/size`]: '2048\n',
  [`/sys/class/block/${node}/slaves/${slave}`]: '',
});

const uses = { byDevice: new Map(), zfsMounted: false };

test('a mapping whose disk was pulled is named, with the command that removes it', async () => {
  const host = fakeHost(() => null, mapping('dm-0', 'vg0-root', 'vdb'));
  const [device, ...others] = await readStaleMappings(host, new Set(), uses);
  expect(others).toEqual([]);
  expect(device).toMatchObject({
    path: '/dev/dm-0',
    kind: 'lvm',
    sizeBytes: 2 ** 20,
    stack: { state: 'stale' },
  });
  expect(device?.aliases).toContain('/dev/vg0/root');
  expect(device?.protected?.reason).toContain('dmsetup remove vg0-root');
});

test('a mapping on one that lost its disk is stale too', async () => {
  const files = { ...mapping('dm-0', 'vg0-a', 'vdb'), ...mapping('dm-1', 'vg0-b', 'dm-0') };
  const found = await readStaleMappings(
    fakeHost(() => null, files),
    new Set(),
    uses,
  );
  expect(found.map(({ name }) => name)).toEqual(['dm-0', 'dm-1']);
});

test('what lsblk shows, and what stands on nothing or on a disk that is there, is not stale', async () => {
  const files = {
    ...mapping('dm-0', 'vg0-a', 'vdb'),
    ...mapping('dm-1', 'vg0-b', 'vdc'),
    '/sys/class/block/vdc': '',
    '/sys/class/block/dm-2/dm/name': 'zero\n',
  };
  const host = fakeHost(() => null, files);
  expect(await readStaleMappings(host, new Set(['dm-0']), uses)).toEqual([]);
});
