import { expect, it } from 'vitest';
import { fakeHost } from '../../fixtures/fake-host.ts';
import { onlineFiles } from './lvm-online.ts';

const host = fakeHost(() => null, {
  '/run/lvm/pvs_online/Aaaa': '9:127\nvg:vg0\ndev:/dev/md127\n',
  '/run/lvm/pvs_online/Bbbb': '254:3\nvg:host\n',
  '/run/lvm/pvs_online/Cccc': '254:32\n',
});

it('finds what LVM remembers of these devices, and of no others', async () => {
  expect(await onlineFiles(host, new Set(['254:16', '254:32', '9:127']))).toEqual([
    '/run/lvm/pvs_online/Aaaa',
    '/run/lvm/vgs_online/vg0',
    '/run/lvm/pvs_online/Cccc',
  ]);
});

it('finds nothing where LVM keeps no such list', async () => {
  expect(
    await onlineFiles(
      fakeHost(() => null),
      new Set(['9:127']),
    ),
  ).toEqual([]);
});
