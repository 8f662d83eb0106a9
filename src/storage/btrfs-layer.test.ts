import { expect, it } from 'vitest';
import { makeDevice } from '../../fixtures/device.ts';
import { type FakeFile, fakeHost, recorded } from '../../fixtures/fake-host.ts';
import type { Device } from '../devices/device.ts';
import { btrfsLayer } from './btrfs-layer.ts';
import type { LayerMode } from './layer.ts';

const log = recorded('btrfs/renamed-with-log.txt');
/** The same on one device without a log tree that waits. */
const clean = log.replace(/^log_root\t+\d+$/m, 'log_root\t\t0');
const fsid = '11111111-2222-4333-8444-555555555555';
const on = (path: string, more: Partial<Device> = {}) =>
  makeDevice(path, { fsType: 'btrfs', uuid: fsid, ...more });

const own = on('/dev/vda', { protected: { reason: "this machine's own disk" } });
const mounted = { [`/sys/fs/btrfs/${fsid}/devices/vda`]: '' };

const probe = (
  superblock: string,
  mode: LayerMode,
  files: Readonly<Record<string, FakeFile>> = {},
  others: readonly Device[] = [own],
) => {
  const ours = [on('/dev/vdb')];
  return btrfsLayer.probe({
    ...{ host: fakeHost(() => ({ stdout: superblock }), files), ours, mode, luksHeaders: [] },
    free: others.filter((device) => device.protected === null),
    all: [...others, ...ours],
    session: 'a1b2',
    directory: '/var/lib/rescuekit/sessions/a1b2',
  });
};

it('a btrfs on one device, of which there is no copy, needs nothing', async () => {
  expect(await probe(clean, 'read-write', {}, [])).toEqual([]);
});

it('the copy of a clone is forgotten before the first mount', async () => {
  const [opening] = await probe(clean, 'read-write', {}, [on('/dev/vdc')]);
  expect(opening).toMatchObject({
    need: { kind: 'nothing' },
    volume: { device: '/dev/vdb', members: ['/dev/vdb'], copies: ['/dev/vdc'] },
  });
  expect(opening?.commands('read-write')).toEqual([
    ['btrfs', 'device', 'scan', '--forget', '/dev/vdc'],
  ]);
});

it('a clone of what the host has mounted is looked at through a cover', async () => {
  const [opening] = await probe(log, 'read-only', mounted);
  expect(opening?.need).toEqual({ kind: 'nothing' });
  expect(opening?.volume).toMatchObject({
    fsid,
    device: '/dev/mapper/rescuekit-a1b2-vdb',
    members: ['/dev/mapper/rescuekit-a1b2-vdb'],
  });
});

it('it is renamed for writing only when the person says so', async () => {
  const [opening] = await probe(clean, 'read-write', mounted);
  expect(opening?.need).toMatchObject({ kind: 'consent', consent: 'rename-clone' });
});

it('it is never renamed while its log tree waits, which could not be replayed afterwards', async () => {
  const [opening] = await probe(log, 'read-write', mounted);
  expect(opening?.need).toMatchObject({ kind: 'impossible' });
});

it('Linux 6.7 keeps the two apart by itself', async () => {
  const files = { ...mounted, '/sys/fs/btrfs/features/temp_fsid': '0\n' };
  expect(await probe(clean, 'read-write', files)).toEqual([]);
});
