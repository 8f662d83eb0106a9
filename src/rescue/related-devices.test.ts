import { expect, test } from 'vitest';
import { makeDevice } from '../../fixtures/device.ts';
import { relatedDevices } from './related-devices.ts';

const group = 'a'.repeat(32);

const volume = (name: string, of = group) =>
  makeDevice(`/dev/${name}`, {
    kind: 'lvm',
    aliases: [`/dev/disk/by-id/dm-uuid-LVM-${of}${name.padEnd(32, 'x')}`],
  });

const [root, data, other] = [volume('dm-0'), volume('dm-1'), volume('dm-2', 'b'.repeat(32))];
const first = makeDevice('/dev/vda', { children: [root] });
const second = makeDevice('/dev/vdb', { children: [data] });
const tree = [first, second, makeDevice('/dev/vdc', { children: [other] })];

test('a volume of the same group belongs to the target, wherever it lies', () => {
  expect(relatedDevices(tree, [second])).toEqual([second, data, root]);
});

test('a volume of another group does not, nor one that the host uses', () => {
  const used = { ...root, protected: { reason: 'mounted at /' } };
  const host = makeDevice('/dev/vda', { children: [used] });
  expect(relatedDevices([host, second], [second])).toEqual([second, data]);
});
