import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fakeHost } from '../../fixtures/fake-host.ts';
import { changeLogFile } from '../changes/change-log.ts';
import { parseChangeLog } from '../changes/change-record.ts';
import { createHost } from '../host/host.ts';
import { intendFsck } from './record-fsck.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rescuekit-fsck-'));
});
afterEach(() => rm(directory, { recursive: true }));

/** A session in which blkid gives these answers one after the other. */
const session = (...uuids: string[]) => ({
  host: {
    ...createHost(),
    run: fakeHost(() => {
      const stdout = uuids.shift() ?? '';
      return { stdout, exitCode: stdout === '' ? 2 : 0 };
    }).run,
  },
  directory,
});

const changes = async () =>
  parseChangeLog(await readFile(changeLogFile(directory), 'utf8')).map(
    ({ intent, done, undone }) => ({
      uuid: intent.kind === 'fsck' ? intent.uuid : null,
      done: done !== null,
      undone,
    }),
  );

it('is on disk before the repair, and stays open when that is killed', async () => {
  await intendFsck(session('u\n'), '/dev/vdb1', '/undo');
  expect(await changes()).toEqual([{ uuid: 'u', done: false, undone: false }]);
});

it('is done when the undo file is there, and forgotten when nothing was kept', async () => {
  const host = session('u', 'u');
  await (await intendFsck(host, '/dev/vdb1', '/undo'))(true);
  await (await intendFsck(host, '/dev/vdb1', '/undo'))(false);
  expect(await changes()).toEqual([
    { uuid: 'u', done: true, undone: false },
    { uuid: 'u', done: false, undone: true },
  ]);
});

it('of a lost superblock gets the UUID that is there after the repair', async () => {
  await (await intendFsck(session('', 'u'), '/dev/vdb1', '/undo'))(true);
  expect(await changes()).toEqual([
    { uuid: '', done: false, undone: true },
    { uuid: 'u', done: true, undone: false },
  ]);
});
