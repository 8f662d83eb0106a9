import { expect, test } from 'vitest';
import { makeDevice } from '../../../fixtures/device.ts';
import { recorded } from '../../../fixtures/fake-host.ts';
import type { Mapping } from '../../devices/mappings.ts';
import type { GroupInstance } from './group-instance.ts';
import { mapperUuid } from './names.ts';
import { partsOf, privateReason } from './plan.ts';
import { parseReport } from './report.ts';
import { presenceOf } from './taken.ts';

const instance = (name: string, disks: Readonly<Record<string, string>>): GroupInstance => {
  const [group] = parseReport(recorded(`lvm/${name}.json`));
  if (group === undefined) throw new Error('no group');
  const nodes = Object.entries(disks).map(([path, majorMinor], disk) => ({
    device: makeDevice(path, { majorMinor }),
    cover: null,
    disk,
  }));
  const missing = group.pvs.filter(({ majorMinor }) => majorMinor === null);
  return { group, nodes, missing, ambiguous: null };
};

const whole = instance('mixed', { '/dev/vde': '254:64', '/dev/vdf': '254:80' });
const torn = instance('missing', { '/dev/vdf': '254:80' });

const mapping = (name: string, uuid: string, on: string, stale = false): Mapping => ({
  ...{ kernelName: 'dm-0', name, uuid, majorMinor: '253:0', stale },
  standsOn: new Set([on]),
});

const own = (on: string, stale = false) => {
  const volume = whole.group.lvs.find(({ name }) => name === 'lin');
  return mapping('vg--a-lin', mapperUuid(whole.group.uuid, volume?.uuid), on, stale);
};

const plan = (of: GroupInstance, mappings: readonly Mapping[], isCovered = false) => {
  const presence = presenceOf(of, mappings, { session: '7f3a' });
  const reason = privateReason(of, presence, false);
  const parts = partsOf(of, presence, reason, isCovered);
  return {
    reason,
    parts: parts.map(({ rank, need, volumes }) => [
      rank,
      need.kind === 'consent' ? need.consent : need.kind,
      volumes.map(({ name }) => name).join(' '),
    ]),
  };
};

test('a whole group is opened at once, under its own name', () => {
  const all = 'lin linsnap mir slow th';
  expect(plan(whole, [])).toEqual({ reason: null, parts: [[0, 'nothing', all]] });
});

test('what udev has activated on these very disks is used, and only the rest is opened', () => {
  const { reason, parts } = plan(whole, [own('vde')]);
  expect(reason).toBeNull();
  expect(parts).toEqual([[0, 'nothing', 'linsnap mir slow th']]);
});

test('the rest is left closed where a private view would be needed for it', () => {
  expect(plan(whole, [own('vde')], true).parts[0]?.[1]).toBe('impossible');
});

test.each([
  ['a clone on another disk', own('vdb')],
  ['a stale mapping of the same disk', own('vde', true)],
  ['another group of the same name', mapping('vg--a-other', `LVM-${'x'.repeat(64)}`, 'vda')],
  ['the view of another session', { ...own('vde'), standsOn: new Set(['dm-7', 'vdb']) }],
])('%s takes the name', (_, mine) => {
  const { reason, parts } = plan(whole, [mine]);
  expect(reason).toContain(mine.name);
  expect(parts.map(([rank, need]) => [rank, need])).toEqual([[0, 'nothing']]);
});

test('a group with a longer name is another one', () => {
  const other = mapping('vg--a--b-root', `LVM-${'x'.repeat(64)}`, 'vda');
  expect(plan(whole, [other]).reason).toBeNull();
});

test('of a torn group mirrors need one consent and the rest another', () => {
  expect(plan(torn, []).parts).toEqual([
    [1, 'degraded', 'mir'],
    [2, 'partial', 'lin linsnap slow th'],
  ]);
});

test('a torn group cannot get another name', () => {
  expect(plan(torn, [own('vdb')]).parts.map(([, need]) => need)).toEqual(['impossible']);
});

test('a shared group and an odd system id stay closed', () => {
  for (const change of [{ shared: true }, { systemId: '"] x["' }]) {
    const closed = { ...whole, group: { ...whole.group, ...change } };
    expect(plan(closed, []).parts.map(([, need]) => need)).toEqual(['impossible']);
  }
});
