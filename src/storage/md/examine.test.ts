import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recorded } from '../../../fixtures/fake-host.ts';
import { parseExamine } from './examine.ts';

const member = (name: string) => parseExamine('/dev/vdd', recorded(`mdadm/${name}.txt`));

describe('the superblock of a member', () => {
  it('of version 1.2 tells array, name and place', () => {
    expect(member('raid1-vdc')).toEqual({
      device: '/dev/vdd',
      arrayUuid: 'b309b68e:b1086443:58fcb39a:4c150411',
      name: 'web-3:root',
      level: 'raid1',
      raidDevices: 2,
      copies: null,
      deviceUuid: '5855047b:493dc25a:f967d143:c3267903',
      events: 1,
      role: { kind: 'active', slot: 1 },
      missingBefore: [],
      preferredMinor: null,
    });
  });

  it('of version 0.90 has no name, and the minor that the array wants', () => {
    expect(member('v090-raid5-vdf')).toMatchObject({
      arrayUuid: '03bcc782:0e1d29f0:2c56a99a:a77ef944',
      name: null,
      level: 'raid5',
      raidDevices: 3,
      deviceUuid: null,
      role: { kind: 'active', slot: 2 },
      preferredMinor: 5,
    });
  });

  it('of a spare has no place', () => {
    expect(member('v090-raid5-vdg')?.role).toEqual({ kind: 'other' });
  });

  it('tells how RAID10 lays its copies', () => {
    expect(member('raid10-vdg')).toMatchObject({
      copies: { near: 2, far: 1 },
      role: { kind: 'active', slot: 3 },
    });
  });

  it('is known as the local host’s own without being called so', () => {
    expect(member('raid1-stale-vde')).toMatchObject({
      name: 'rescue-host:data',
      events: 26,
      missingBefore: [0],
    });
  });

  it('of RAID 0 and linear has a place like the others', () => {
    expect(member('raid0-vdd')).toMatchObject({ level: 'raid0', raidDevices: 2 });
    expect(member('linear-vdf')).toMatchObject({ level: 'linear', raidDevices: 2 });
  });

  it('is none in any other text, and no text is an error', () => {
    expect(parseExamine('/dev/vda', '')).toBeNull();
    const text = recorded('mdadm/raid1-vdb.txt');
    fc.assert(
      fc.property(fc.nat(text.length), fc.string(), (cut, more) => {
        parseExamine('/dev/vda', text.slice(0, cut) + more);
      }),
    );
  });
});
