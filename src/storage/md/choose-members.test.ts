import { describe, expect, it } from 'vitest';
import { recorded } from '../../../fixtures/fake-host.ts';
import { arrayNames } from './array-names.ts';
import { arrayWords, whyNot } from './array-words.ts';
import { canRun } from './can-run.ts';
import { type Choice, chooseMembers } from './choose-members.ts';
import { type Member, parseExamine } from './examine.ts';

const member = (name: string, device = name): Member => {
  const found = parseExamine(`/dev/${device}`, recorded(`mdadm/${name}.txt`));
  if (found === null) throw new Error(`${name} is no member`);
  return found;
};

const choose = (ours: readonly Member[], free: readonly Member[] = []): Choice => {
  const choice = chooseMembers(ours, free);
  if (choice === null) throw new Error('nothing to choose from');
  return choice;
};

const devices = (choice: Choice) => choice.members.map(({ device }) => device);

describe('the members of an array', () => {
  it('are in the order of their places, with spares at the end', () => {
    const names = ['v090-raid5-vdg', 'v090-raid5-vdf', 'v090-raid5-vdd', 'v090-raid5-vde'];
    const choice = choose(names.map((name) => member(name)));
    expect(choice.state).toBe('complete');
    expect(devices(choice)).toEqual(
      ['vdd', 'vde', 'vdf', 'vdg'].map((disk) => `/dev/v090-raid5-${disk}`),
    );
  });

  it('are drawn in from free disks where the target lacks them', () => {
    const choice = choose(
      [member('raid1-vdb')],
      [member('raid1-vdb', 'other'), member('raid1-vdc')],
    );
    expect(choice.state).toBe('complete');
    expect(devices(choice)).toEqual(['/dev/raid1-vdb', '/dev/raid1-vdc']);
  });

  it('are none of two free disks that claim one place', () => {
    const choice = choose(
      [member('raid1-vdb')],
      [member('raid1-vdc'), member('raid1-vdc', 'copy')],
    );
    expect(choice.state).toBe('degraded');
    expect(devices(choice)).toEqual(['/dev/raid1-vdb']);
    expect(whyNot(choice)).toContain('/dev/raid1-vdc and /dev/copy are copies');
    expect(whyNot(choice)).toContain('--with');
  });

  it('are the ones that agree with the target’s own, not a copy that was used since', () => {
    const used = { ...member('raid1-vdc', 'copy'), events: 40 };
    const choice = choose([member('raid1-vdb')], [used, member('raid1-vdc')]);
    expect(devices(choice)).toEqual(['/dev/raid1-vdb', '/dev/raid1-vdc']);
  });

  it('do not count when the array went on without them', () => {
    const choice = choose(
      ['raid1-stale-vdd', 'raid1-stale-vde', 'raid1-stale-vdf'].map((name) => member(name)),
    );
    expect(choice).toMatchObject({ state: 'degraded', present: 1, expected: 2 });
    expect(devices(choice)).toEqual(['/dev/raid1-stale-vde']);
    expect(whyNot(choice)).toContain('was used without the missing ones before');
    expect(whyNot(choice)).toContain('/dev/raid1-stale-vdd, /dev/raid1-stale-vdf are out of date');
  });

  it('are too few for RAID 0 when one is missing', () => {
    const choice = choose([member('raid0-vdd')]);
    expect(choice.state).toBe('impossible');
    expect(whyNot(choice)).toBe('1 of 2 disks are attached, and RAID 0 does not work with fewer.');
  });
});

describe('whether an array runs', () => {
  const runs = (level: string, raidDevices: number, slots: readonly number[], far = 1, near = 2) =>
    canRun({ level, raidDevices, copies: { near, far } }, new Set(slots));

  it.each([
    ['raid1', 3, [2], true],
    ['raid1', 2, [], false],
    ['raid5', 3, [0, 2], true],
    ['raid5', 3, [0], false],
    ['raid6', 4, [1, 2], true],
    ['raid6', 4, [1], false],
    ['raid4', 3, [0, 1], true],
    ['linear', 2, [0], false],
    ['unknown', 2, [0], false],
  ] as const)('%s of %i with %j: %s', (level, disks, slots, expected) => {
    expect(runs(level, disks, slots)).toBe(expected);
  });

  it('depends for RAID10 on which ones are there', () => {
    expect(runs('raid10', 4, [0, 2])).toBe(true);
    expect(runs('raid10', 4, [1, 3])).toBe(true);
    expect(runs('raid10', 4, [0, 1])).toBe(false);
    expect(runs('raid10', 3, [0, 1])).toBe(true);
    expect(runs('raid10', 4, [0, 2], 2, 1)).toBe(true);
    expect(runs('raid10', 4, [0, 3], 2, 1)).toBe(false);
  });
});

describe('an array', () => {
  it('is called as a person calls it', () => {
    expect(arrayWords(choose([member('raid1-vdb')]))).toBe(
      'array root of web-3 (RAID 1, 1 of 2 disks)',
    );
    expect(arrayWords(choose([member('raid0-vdd')]))).toContain('array stripe of any (RAID 0,');
    expect(arrayWords(choose([member('v090-raid5-vdd')]))).toContain('array md5 (RAID 5,');
  });

  it('has the names that its own machine has for it', () => {
    expect(arrayNames(member('raid1-vdb'))).toEqual([
      '/dev/md/root',
      '/dev/md/web-3:root',
      '/dev/disk/by-id/md-name-web-3:root',
      '/dev/disk/by-id/md-uuid-b309b68e:b1086443:58fcb39a:4c150411',
    ]);
    expect(arrayNames({ arrayUuid: 'u', name: 'web-3:0', preferredMinor: null })).toContain(
      '/dev/md0',
    );
    expect(arrayNames(member('v090-raid5-vdd')).slice(0, 2)).toEqual(['/dev/md/5', '/dev/md5']);
  });
});
