import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createHost } from '../host/host.ts';
import { changeLogFile, openChangeLog } from './change-log.ts';
import { parseChangeLog } from './change-record.ts';

const host = createHost();
let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rescuekit-log-'));
});
afterEach(() => rm(directory, { recursive: true }));

const fsck = { kind: 'fsck', uuid: 'u', device: '/dev/vdb1', undoFile: '/undo' } as const;

it('ends a line that was cut off, so that the next one is not lost with it', async () => {
  const first = await openChangeLog(host, directory);
  const number = await first.intend(fsck);
  await appendFile(changeLogFile(directory), '{"event":"done","num');
  const again = await openChangeLog(host, directory);
  await again.undone(number);
  const next = await again.intend(fsck);
  expect(next).toBe(number + 1);
  const changes = parseChangeLog(await readFile(changeLogFile(directory), 'utf8'));
  expect(changes.map(({ undone, done }) => [undone, done])).toEqual([
    [true, null],
    [false, null],
  ]);
});
