import { createHost } from '../host/host.ts';
import { forceBack, type NotPutBack } from '../rehearsal/force-back.ts';
import { layerFiles } from '../rehearsal/layer-store.ts';
import { type Merge, type MergeDirection, mergeLayers } from '../rehearsal/merge-layer.ts';
import {
  isHalfWritten,
  type RehearsalRecord,
  rehearsalDirectory,
  writeRehearsal,
} from '../rehearsal/record.ts';
import { knowsTable } from '../storage/reread-table.ts';
import { intendMerge } from './intend-merge.ts';
import type { Observer } from './observer.ts';
import type { Session } from './session.ts';
import { findOrigins, lookForOrigins, type Origin, standAside } from './stand-aside.ts';

const phases = {
  commit: { during: 'committing', after: 'committed' },
  undo: { during: 'undoing', after: 'kept' },
} as const;

const titles = {
  commit: ['Write the layer to the disks', 'The layer is on the disks'],
  undo: ['Write back what the disks had', 'The disks are as they were before the commit'],
} as const;

const mergesOf = (directory: string, origins: readonly Origin[]): readonly Merge[] =>
  origins.map(({ name, path, number }) => ({ name, path, files: layerFiles(directory, number) }));

/**
 * The disks to be written stand aside. Their partition tables may be others afterwards: the kernel
 * reads them again when all is down, and only those that it knows now.
 */
const prepare = async (session: Session, origins: readonly Origin[]): Promise<void> => {
  const devices: string[] = [];
  for (const { kind, path } of origins) {
    if (kind === 'disk' && (await knowsTable(session.host, path))) devices.push(path);
  }
  if (devices.length > 0) {
    await session.intend('Partitions as they were', { kind: 'reread-tables', devices });
  }
  await standAside(session, origins);
};

/**
 * Writes the layers of a rehearsal to its disks, or takes that back; the layer is then kept again.
 * From the first byte on it is not stopped by an interruption, and what was cut off by a kill is
 * finished by calling this again.
 *
 * @throws RescueError `BUSY`, `DISK_CHANGED`, `PROTECTED`, `MOUNTED`, `LOCKED` (4), `VANISHED`,
 *   `LAYER_DAMAGED`, `DISK_UNREADABLE`, `NOT_WRITTEN` (1).
 */
export const mergeRehearsal = async (
  session: Session,
  record: RehearsalRecord,
  direction: MergeDirection,
  observer: Observer,
): Promise<RehearsalRecord> => {
  // What was begun is finished: this one does not listen to an interruption.
  const host = createHost();
  const directory = rehearsalDirectory(session.directory);
  const origins = await findOrigins(session, record.disks);
  await prepare(session, origins);
  const { during, after } = phases[direction];
  const step = await intendMerge(session, 'Write the layer');
  const begun = isHalfWritten(record);
  const [title, done] = titles[direction];
  await observer.task(
    title,
    (update) =>
      mergeLayers(
        host,
        mergesOf(directory, origins),
        { direction, begun },
        () => writeRehearsal(host.files, directory, { ...record, phase: during }),
        (fraction) => update({ message: 'writing', fraction }),
      ),
    () => done,
  );
  const merged: RehearsalRecord = { ...record, phase: after, notPutBack: [] };
  await writeRehearsal(host.files, directory, merged);
  await session.takeDown(step);
  return merged;
};

export type Forced = { readonly record: RehearsalRecord; readonly left: readonly NotPutBack[] };

/**
 * Takes a commit back as far as the disks allow: past what cannot be read or written, without a disk
 * that is gone, and, where it was cut off, over what was written since. Afterwards nothing is half
 * written any more as far as the session knows; what was not put back stands in its record.
 *
 * @throws RescueError `BUSY`, `DISK_CHANGED`, `PROTECTED`, `MOUNTED`, `LOCKED` (4), `READ_ONLY` (1).
 */
export const forceRehearsalBack = async (
  session: Session,
  record: RehearsalRecord,
  observer: Observer,
): Promise<Forced> => {
  const host = createHost();
  const directory = rehearsalDirectory(session.directory);
  const { origins, gone } = await lookForOrigins(session, record.disks);
  if (origins.length > 0) await prepare(session, origins);
  const step = await intendMerge(session, 'Write the layer');
  const left = [
    ...gone.map(({ name }) => ({
      what: name,
      reason: 'it is not attached, or is another disk now',
    })),
    ...(await observer.task('Write back what the disks had, as far as it goes', (update) =>
      forceBack(
        host,
        mergesOf(directory, origins),
        isHalfWritten(record),
        () => writeRehearsal(host.files, directory, { ...record, phase: 'undoing' }),
        (fraction) => update({ message: 'writing', fraction }),
      ),
    )),
  ];
  const notPutBack = left.map(({ what }) => what);
  const back: RehearsalRecord = { ...record, phase: 'kept', notPutBack };
  await writeRehearsal(host.files, directory, back);
  await session.takeDown(step);
  return { record: back, left };
};
