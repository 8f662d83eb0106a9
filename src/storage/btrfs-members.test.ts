import { describe, expect, it } from 'vitest';
import { makeDevice } from '../../fixtures/device.ts';
import { fakeHost, recorded } from '../../fixtures/fake-host.ts';
import { parseBtrfsSuperblock } from '../filesystems/btrfs-superblock.ts';
import { type BtrfsDevice, describeBtrfs } from './btrfs-devices.ts';
import { chooseMembers } from './btrfs-members.ts';
import { degradedWhy } from './btrfs-words.ts';

const first = parseBtrfsSuperblock(recorded('btrfs/raid1-first.txt'));
const second = parseBtrfsSuperblock(recorded('btrfs/raid1-second.txt'));
if (first === null || second === null) throw new Error('the recorded superblocks are not read');

const on = (node: string, superblock = first, generation = superblock.generation): BtrfsDevice => ({
  ...superblock,
  generation,
  node,
  device: makeDevice(node, { fsType: 'btrfs', uuid: superblock.fsid }),
});

const choose = (ours: readonly BtrfsDevice[], free: readonly BtrfsDevice[]) => {
  const found = chooseMembers(
    [...ours, ...free],
    (device) => ours.some((one) => one.device === device),
    (device) => free.some((one) => one.device === device),
  );
  if (found === null) throw new Error('nothing was chosen');
  return found;
};

const nodes = (devices: readonly BtrfsDevice[]) => devices.map(({ node }) => node);

describe('the superblock of a btrfs device', () => {
  it('tells the whole from its device', () => {
    expect(first).toMatchObject({ devid: 1, deviceCount: 2, needsReplay: false });
    expect(second).toMatchObject({ devid: 2, fsid: first.fsid });
    expect(second.deviceUuid).not.toBe(first.deviceUuid);
    expect(first.metadataUuid).toBe(first.fsid);
  });

  it('tells of a rename, and of one that was cut off', () => {
    const text = recorded('btrfs/renamed-with-log.txt');
    const renamed = parseBtrfsSuperblock(text);
    expect(renamed).toMatchObject({
      fsid: '11111111-2222-4333-8444-555555555555',
      needsReplay: true,
      isChanging: false,
    });
    expect(renamed?.metadataUuid).not.toBe(renamed?.fsid);
    const cut = text.replace(/^flags\t+0x1$/m, 'flags\t\t\t0x1000000001');
    expect(parseBtrfsSuperblock(cut)).toMatchObject({ isChanging: true });
  });
});

describe('of the devices of a btrfs', () => {
  it('a free one with the missing number is drawn in', () => {
    const found = choose([on('/dev/vdb')], [on('/dev/vdc', second)]);
    expect(nodes(found.members)).toEqual(['/dev/vdb', '/dev/vdc']);
    expect(found).toMatchObject({ missing: 0, others: [], twice: [] });
  });

  it('none of two copies is drawn in, and the person is told of both', () => {
    const found = choose([on('/dev/vdb')], [on('/dev/vdc', second), on('/dev/vdd', second)]);
    expect(nodes(found.members)).toEqual(['/dev/vdb']);
    expect(found.missing).toBe(1);
    expect(degradedWhy(found, 'read-only')).toContain('/dev/vdc, /dev/vdd are copies');
  });

  it('one that fell behind is not drawn in, and is kept away', () => {
    const old = on('/dev/vdc', second, first.generation - 5);
    const found = choose([on('/dev/vdb')], [old]);
    expect(found).toMatchObject({ missing: 1, others: [old] });
  });

  it('a copy of what is named is kept away', () => {
    const found = choose([on('/dev/vdb'), on('/dev/vdc', second)], [on('/dev/vdd')]);
    expect(nodes(found.members)).toEqual(['/dev/vdb', '/dev/vdc']);
    expect(nodes(found.others)).toEqual(['/dev/vdd']);
    expect(found.missing).toBe(0);
  });

  it('two named ones that are the same are found', () => {
    const found = choose([on('/dev/vdb'), on('/dev/vdc')], []);
    expect(nodes(found.twice)).toEqual(['/dev/vdc']);
  });
});

it('the tree of devices is told what belongs together, and what is a copy', async () => {
  const trees = ['/dev/vdb', '/dev/vdc', '/dev/vdd'].map((node) =>
    makeDevice(node, { fsType: 'btrfs', uuid: first.fsid }),
  );
  const host = fakeHost(({ args }) => ({
    stdout: recorded(
      args.at(-1) === '/dev/vdc' ? 'btrfs/raid1-second.txt' : 'btrfs/raid1-first.txt',
    ),
  }));
  const facts = await describeBtrfs(host, trees);
  expect(facts.get('/dev/vdd')).toMatchObject({
    devid: 1,
    present: 2,
    expected: 2,
    duplicates: ['/dev/vdb'],
  });
  expect(facts.get('/dev/vdc')).toMatchObject({ devid: 2, duplicates: [] });
});
