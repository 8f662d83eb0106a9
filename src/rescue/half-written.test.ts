import { expect, it } from 'vitest';
import { makeDevice, makePartition } from '../../fixtures/device.ts';
import { fakeHost } from '../../fixtures/fake-host.ts';
import type { Device } from '../devices/device.ts';
import type { LayeredDisk, Phase } from '../rehearsal/record.ts';
import { requireWhole } from './half-written.ts';
import { statePaths } from './state-paths.ts';

const paths = statePaths('/state');
const gibibyte = 2 ** 30;

const recorded = (more: Partial<LayeredDisk>): LayeredDisk => ({
  number: 1,
  name: '/dev/vdb',
  path: '/dev/vdb',
  kind: 'disk',
  serial: null,
  sizeBytes: gibibyte,
  ...more,
});

/** Looks at a disk beside the session 7f3a, which left a rehearsal in a phase. */
const look = (disk: Device, phase: Phase, one: Partial<LayeredDisk>, own = '1111') => {
  const record = {
    ...{ version: 1, means: 'snapshot', phase, target: '/dev/vdb', withDisks: [], system: null },
    ...{ title: 'web-3', disks: [recorded(one)], report: null },
  };
  const host = fakeHost(() => null, {
    [`${paths.sessions}/7f3a/rehearsal/rehearsal.json`]: JSON.stringify(record),
    [`${paths.sessions}/8888/rehearsal/rehearsal.json`]: 'of another version',
  });
  return requireWhole({ id: own, paths, host }, disk);
};

const disk = (path: string, more: Partial<Device> = {}) =>
  makeDevice(path, { sizeBytes: gibibyte, ...more });

it('knows a half-written disk by its serial number when it has another name', async () => {
  const renamed = disk('/dev/vdc', { serial: 'A' });
  await expect(look(renamed, 'committing', { serial: 'A' })).rejects.toMatchObject({
    code: 'HALF_WRITTEN',
    exit: 4,
    message: expect.stringContaining('/dev/vdc'),
    hint: 'Finish it: rescuekit rehearse 7f3a --commit. Or take it back: rescuekit undo 7f3a',
  });
  await expect(look(renamed, 'undoing', { serial: 'A' })).rejects.toMatchObject({
    hint: 'Finish it: rescuekit undo 7f3a',
  });
});

it('knows one without a serial number by what is on it', async () => {
  const root = makePartition('/dev/vdc1', 1, { uuid: 'c0ffee' });
  const renamed = disk('/dev/vdc', { children: [root] });
  const refused = look(renamed, 'committing', { marks: ['boot', 'c0ffee'] });
  await expect(refused).rejects.toMatchObject({ code: 'HALF_WRITTEN' });
});

it('knows the image of a file', async () => {
  const image = { kind: 'image', path: '/srv/disk.img' } as const;
  const loop = disk('/dev/loop7', { kind: 'loop', backingFile: '/srv/disk.img' });
  await expect(look(loop, 'committing', image)).rejects.toMatchObject({ code: 'HALF_WRITTEN' });
  await look({ ...loop, backingFile: '/srv/other.img' }, 'committing', image);
});

it('lets another disk be that has the name now, and one that is whole', async () => {
  await look(disk('/dev/vdb', { serial: 'B' }), 'committing', { serial: 'A' });
  await look(disk('/dev/vdb', { uuid: 'other' }), 'committing', { marks: ['c0ffee'] });
  for (const phase of ['up', 'kept', 'committed', 'dropped'] as const) {
    await look(disk('/dev/vdb', { serial: 'A' }), phase, { serial: 'A' });
  }
});

it('takes a disk of which nothing is known for the one that had its name', async () => {
  const refused = look(disk('/dev/vdb'), 'committing', { marks: ['c0ffee'] });
  await expect(refused).rejects.toMatchObject({ code: 'HALF_WRITTEN' });
});

it('lets the session itself bring it to an end', async () => {
  await look(disk('/dev/vdb', { serial: 'A' }), 'committing', { serial: 'A' }, '7f3a');
});
