import { expect, test } from 'vitest';
import { recorded } from '../../../fixtures/fake-host.ts';
import { type LvmGroup, parseReport } from './report.ts';
import { canDoWithout, checkersOf, usableVolumes, writesWhenActive } from './volumes.ts';

const groupOf = (name: string): LvmGroup => {
  const [group] = parseReport(recorded(`lvm/${name}.json`));
  if (group === undefined) throw new Error('no group');
  return group;
};

const whole = groupOf('mixed');
const torn = groupOf('missing');

test('a group is read with its physical volumes and where their extents lie', () => {
  expect(whole).toMatchObject({ name: 'vg-a', exported: false, systemId: '', shared: false });
  expect(whole.pvs.map(({ majorMinor }) => majorMinor)).toEqual(['254:64', '254:80']);
  expect(whole.pvs[0]).toMatchObject({
    dataStartBytes: 1048576,
    extents: 149,
    metadataAreas: 1,
    sizeBytes: 629145600,
  });
});

test('a physical volume that is missing has no device', () => {
  expect(torn.pvs.map(({ majorMinor }) => majorMinor)).toEqual(['254:80', null]);
});

test('volumes that others are made of, pools and those to be skipped are not for use', () => {
  expect(usableVolumes(whole).map(({ name }) => name)).toEqual([
    'lin',
    'linsnap',
    'mir',
    'slow',
    'th',
  ]);
});

test('pools, caches, raid and old snapshots are written to by the kernel, linear volumes are not', () => {
  expect(writesWhenActive(whole)).toBe(true);
  expect(checkersOf(whole)).toEqual(['thin_check', 'cache_check']);
  const linear = { ...whole, lvs: whole.lvs.filter(({ name }) => name === 'mir_rimage_0') };
  expect(writesWhenActive(linear)).toBe(false);
});

test('of a torn group only the mirror can do without the missing disk', () => {
  const usable = usableVolumes(torn);
  expect(usable.every(({ partial }) => partial)).toBe(true);
  expect(usable.filter((lv) => canDoWithout(torn, lv)).map(({ name }) => name)).toEqual(['mir']);
});

test('a name that LVM does not allow is never put into a command', () => {
  const evil = recorded('lvm/mixed.json').replaceAll('"vg-a"', '"--config=x"');
  expect(() => parseReport(evil)).toThrow(/cannot be read/);
});

test('physical volumes without a group, and none at all, are no groups', () => {
  expect(parseReport('{"report":[]}')).toEqual([]);
  expect(parseReport('{"report":[{"pv":[]}]}')).toEqual([]);
});
