import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { hostFiles } from '../host/files.ts';
import { readBootId } from '../host/processes.ts';
import { openJournal } from './journal.ts';
import { acquireLock } from './lock.ts';
import { writeSessionFile } from './session-record.ts';
import { type StatePaths, statePaths } from './state-paths.ts';

let directory = '';
let paths: StatePaths;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rescuekit-lock-'));
  paths = statePaths(directory);
});
afterEach(() => rm(directory, { recursive: true }));

/** A session that was killed, with something left up. */
const leave = async (bootId: string, key: string) => {
  const place = `${paths.sessions}/aaaa`;
  await hostFiles.ensureDirectory(place, 0o700);
  await writeSessionFile(hostFiles, place, {
    ...{ id: 'aaaa', command: 'rescue', target: '/dev/vdb', withDisks: [], system: null },
    ...{ createdAt: '2026-01-01T00:00:00Z', phase: 'running', runDirectory: `${paths.run}/aaaa` },
    owner: { pid: 1, startTicks: '-1', bootId },
  });
  const journal = await openJournal(hostFiles, `${place}/journal.jsonl`, () => new Date(0));
  await journal.intend('it', { kind: 'remove-directory', path: '/nowhere' });
  await acquireLock(hostFiles, paths, { key, session: 'aaaa', mode: 'exclusive' });
};

const lock = (key: string) =>
  acquireLock(hostFiles, paths, { key, session: 'bbbb', mode: 'exclusive' });

it('is refused while what a killed session left is up', async () => {
  await leave(await readBootId(hostFiles), 'block-253-16');
  await expect(lock('block-253-16')).rejects.toMatchObject({ code: 'LOCKED', exit: 4 });
});

it('is given for the number of a device when the machine was started anew since', async () => {
  await leave('another start', 'block-253-16');
  await lock('block-253-16');
  expect(await hostFiles.list(paths.locks)).toEqual(['block-253-16.bbbb.exclusive']);
});

it('is refused for a file also then: its number is the same', async () => {
  await leave('another start', 'file-2049-77');
  await expect(lock('file-2049-77')).rejects.toMatchObject({ code: 'LOCKED' });
});
