import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openChangeLog } from '../changes/change-log.ts';
import { createHost } from '../host/host.ts';
import type { Session } from './session.ts';
import { readChanges, type UndoJobOptions, undoFsck } from './undo-job.ts';

const host = createHost();
let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rescuekit-undo-'));
});
afterEach(() => rm(directory, { recursive: true }));

/** Of a session nothing but the host is used as long as nothing has to be attached. */
const session = { host } as Session;
const options = { target: '/nowhere', force: false, byPerson: false } as UndoJobOptions;
const record = () => ({ id: '7f3a', directory });

const intend = async (undoFile: string, isDone: boolean): Promise<void> => {
  const log = await openChangeLog(host, directory);
  const number = await log.intend({ kind: 'fsck', uuid: 'u', device: '/dev/vdb1', undoFile });
  if (isDone) await log.done({ number, after: null, sha256: null });
};

it('a file system repair that was killed before it kept anything is nothing to be taken back', async () => {
  const empty = join(directory, 'empty.undo');
  await writeFile(empty, '');
  await intend(join(directory, 'never-made.undo'), false);
  await intend(empty, false);
  expect(await undoFsck(session, record(), options)).toEqual({ undone: [], left: [] });
  expect((await readChanges(session, record())).map(({ undone }) => undone)).toEqual([true, true]);
});

it('one that was done, and whose disk is gone, is left and named', async () => {
  await intend(join(directory, 'lost.undo'), true);
  const { undone, left } = await undoFsck(session, record(), options);
  expect(undone).toEqual([]);
  expect(left).toMatchObject([{ what: 'file system repair of /dev/vdb1' }]);
});

it('one that was killed in its midst is tried', async () => {
  const half = join(directory, 'half.undo');
  await writeFile(half, 'E2UNDO02');
  await intend(half, false);
  expect((await undoFsck(session, record(), options)).left).toHaveLength(1);
});
