import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeDevice, makePartition } from '../../fixtures/device.ts';
import type { Device } from '../devices/device.ts';
import { marksOf } from '../devices/disk-marks.ts';
import { createHost } from '../host/host.ts';
import type { FoundSystem } from './survey.ts';
import { absoluteName } from './target.ts';
import {
  differenceOf,
  readWrittenTarget,
  recordTarget,
  requireWritten,
  type TargetNow,
  type WrittenTarget,
} from './written-target.ts';

const disk = (path: string, uuid: string | null, more: Partial<Device> = {}): Device =>
  makeDevice(path, {
    sizeBytes: 4096,
    children: [makePartition(`${path}1`, 1, { fsType: uuid === null ? null : 'ext4', uuid })],
    ...more,
  });

const written = (device: Device, more: Partial<WrittenTarget> = {}): WrittenTarget => ({
  ...{ version: 1, kind: 'device', path: device.path ?? '', uuid: marksOf(device)[0] ?? null },
  disks: [
    {
      ...{ number: 1, name: device.path ?? '', path: device.path ?? '', kind: 'disk' },
      ...{ serial: device.serial, sizeBytes: device.sizeBytes, marks: marksOf(device) },
    },
  ],
  directory: null,
  ...more,
});

const now = (named: Device, more: Partial<TargetNow> = {}): TargetNow => ({
  ...{ kind: 'device', path: named.path ?? '', uuid: marksOf(named)[0] ?? null },
  ...{ directory: null, named, byPerson: false },
  ...more,
});

describe('a disk', () => {
  const own = disk('/dev/vdb', 'own', { serial: 'vol-1' });

  it('is the same under another name', () => {
    const renamed = disk('/dev/vdc', 'own', { serial: 'vol-1' });
    expect(differenceOf(written(own), now(own))).toBeNull();
    expect(differenceOf(written(own), now(renamed))).toBeNull();
  });

  it('with another root file system is another one, also when it is named', () => {
    const foreign = disk('/dev/vdb', 'foreign', { serial: 'vol-1' });
    for (const byPerson of [false, true]) {
      expect(differenceOf(written(own), now(foreign, { byPerson }))).toContain('UUID foreign');
    }
  });

  it('of the same golden image has to be named', () => {
    const clone = disk('/dev/vdb', 'own', { serial: 'vol-2' });
    expect(differenceOf(written(own), now(clone))).toContain('may be a copy');
    expect(differenceOf(written(own), now(clone, { byPerson: true }))).toBeNull();
  });

  it('is known by size and content where the root has no UUID', () => {
    const bare = written(own, { uuid: null });
    expect(differenceOf(bare, now(own, { uuid: null }))).toBeNull();
    const foreign = now(disk('/dev/vdb', 'foreign'), { uuid: null });
    expect(differenceOf(bare, foreign)).not.toBeNull();
    expect(differenceOf(bare, { ...foreign, byPerson: true })).not.toBeNull();
  });

  it('is one of several', () => {
    const second = disk('/dev/vdc', 'second');
    const both = { ...written(own), disks: [...written(own).disks, ...written(second).disks] };
    expect(differenceOf(both, now(second, { uuid: 'own' }))).toBeNull();
  });
});

describe('an image', () => {
  const loop = (path: string, backingFile: string) =>
    disk(path, 'own', { kind: 'loop', backingFile });
  const was = written(loop('/dev/loop3', '/srv/web.img'), { kind: 'image', path: '/srv/web.img' });
  const again = (file: string, more: Partial<TargetNow> = {}) =>
    now(loop('/dev/loop7', file), { kind: 'image', path: file, ...more });

  it('is the same on another loop device, and when it was moved or copied', () => {
    expect(differenceOf(was, again('/srv/web.img'))).toBeNull();
    expect(differenceOf(was, again('/tmp/copy.img', { byPerson: true }))).toBeNull();
  });

  it('is another one when another system is in it', () => {
    expect(differenceOf(was, again('/srv/web.img', { uuid: 'foreign' }))).toContain('foreign');
  });
});

describe('a directory', () => {
  const host = createHost();
  let place = '';
  beforeEach(async () => {
    place = await mkdtemp(join(tmpdir(), 'rescuekit-written-'));
    for (const name of ['session', 'tree', 'other']) await mkdir(join(place, name));
  });
  afterEach(() => rm(place, { recursive: true }));

  const found = (name: string) => {
    const path = join(place, name);
    const target = { kind: 'directory', path, name: path, lockKey: '' } as const;
    // Of a directory nothing is asked of the system.
    return { target, attached: null, system: { place: null } as FoundSystem };
  };
  const require = async (name: string, byPerson: boolean) => {
    const was = await readWrittenTarget(host, join(place, 'session'));
    await requireWritten({ host }, { id: '7f3a' }, was, found(name), byPerson);
  };

  it('is known again, also when it was moved and is named', async () => {
    await recordTarget({ host, directory: join(place, 'session') }, found('tree'));
    await writeFile(join(place, 'tree/file'), 'changed by a repair\n');
    await require('tree', false);
    await rename(join(place, 'tree'), join(place, 'moved'));
    await require('moved', true);
  });

  it('is refused when another one has its name, with what to name instead', async () => {
    await recordTarget({ host, directory: join(place, 'session') }, found('tree'));
    await rename(join(place, 'tree'), join(place, 'away'));
    await rename(join(place, 'other'), join(place, 'tree'));
    for (const byPerson of [false, true]) {
      await expect(require('tree', byPerson)).rejects.toMatchObject({
        ...{ code: 'OTHER_DISK', exit: 4 },
        hint: expect.stringContaining('rescuekit undo 7f3a --disk DIRECTORY'),
      });
    }
  });

  it('of a session of an earlier version is taken as it is named', async () => {
    await require('other', false);
  });

  it('is recorded once: what was written to first counts', async () => {
    const session = { host, directory: join(place, 'session') };
    await recordTarget(session, found('tree'));
    await recordTarget(session, found('other'));
    await require('tree', false);
  });
});

it('a name that was typed means the same in any directory', () => {
  expect(absoluteName('t9')).toBe(join(process.cwd(), 't9'));
  expect(absoluteName('/dev/vdb')).toBe('/dev/vdb');
  expect(absoluteName('')).toBe('');
});
