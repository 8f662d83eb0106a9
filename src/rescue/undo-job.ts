import { changeLogFile, openChangeLog } from '../changes/change-log.ts';
import { type FsckIntent, parseChangeLog, type RecordedChange } from '../changes/change-record.ts';
import { type UndoReport, undoChanges } from '../changes/undo-changes.ts';
import { flattenDevice, nodeOf } from '../devices/device.ts';
import { writableDisks } from '../diagnosis/own-disks.ts';
import { undoExtRepair } from '../filesystems/ext-repair.ts';
import { messageOf, RescueError } from '../host/rescue-error.ts';
import { attachTarget } from './attach.ts';
import { flushSystem } from './flush-system.ts';
import { withMountHooks } from './hook-phases.ts';
import { mountDirectory, mountSystem } from './mount-system.ts';
import { nameVolumes } from './name-volumes.ts';
import type { Observer } from './observer.ts';
import { type FindOptions, findSystem } from './rescue-job.ts';
import type { Session } from './session.ts';
import type { SessionRecord } from './session-record.ts';
import { resolveTarget } from './target.ts';

/** What a session changed on its target, in the order in which it did. */
export const readChanges = async (
  session: Session,
  record: Pick<SessionRecord, 'directory'>,
): Promise<readonly RecordedChange[]> =>
  parseChangeLog((await session.host.files.readText(changeLogFile(record.directory))) ?? '');

const isFsck = ({ intent }: RecordedChange): boolean => intent.kind === 'fsck';

export type UndoJobOptions = Omit<FindOptions, 'mode'> & {
  readonly force: boolean;
  /** Called when the system is mounted, before anything is put back. */
  readonly onStart?: () => Promise<void>;
};

/**
 * Takes back what a session changed in the files and on the disks of a system: mounts it for writing
 * and puts everything back, the last change first.
 */
export const undoFiles = async (
  session: Session,
  record: Pick<SessionRecord, 'directory'>,
  options: UndoJobOptions,
  observer: Observer,
): Promise<UndoReport> => {
  const changes = (await readChanges(session, record)).filter((change) => !isFsck(change));
  if (changes.every(({ undone }) => undone)) return { undone: [], left: [] };
  const { target, system: found } = await findSystem(
    session,
    { ...options, mode: 'write' },
    observer,
  );
  const system = await nameVolumes(session, found, observer.note);
  const mounted = await withMountHooks(session, system, 'write', () =>
    target.kind === 'directory'
      ? mountDirectory(session, target, 'write')
      : mountSystem(session, system, { mode: 'write', setuid: false, apart: false }),
  );
  await options.onStart?.();
  const log = await openChangeLog(session.host, record.directory);
  const place = {
    host: session.host,
    root: mounted.root,
    disks: writableDisks(
      system.mounts,
      system.place === null ? null : { ...system.place, root: system.place.device },
    ),
  };
  const report = await observer.task(
    'Put back what the session changed',
    () => undoChanges(place, log, changes, options.force),
    ({ undone }) => `Put back ${undone.length} ${undone.length === 1 ? 'change' : 'changes'}`,
  );
  await flushSystem(session.host, mounted);
  return report;
};

const deviceFor = async (
  session: Session,
  options: UndoJobOptions,
  { uuid, device }: FsckIntent,
): Promise<string> => {
  const target = await resolveTarget(session.host, options.target);
  const { searched } = await attachTarget(session, target, { ...options, mode: 'read-write' });
  const found = searched.flatMap(flattenDevice).find((one) => uuid !== '' && one.uuid === uuid);
  const node = found === undefined ? null : nodeOf(found);
  if (node !== null) return node;
  throw new RescueError({
    code: 'NOT_OF_TARGET',
    message: `The file system that was repaired as ${device} is not on ${options.target}.`,
    hint: 'Name the disk that has it: rescuekit undo SESSION --disk DISK',
  });
};

/** Plays the undo files of file system repairs back, while nothing of them is mounted. */
export const undoFsck = async (
  session: Session,
  record: SessionRecord,
  options: UndoJobOptions,
): Promise<UndoReport> => {
  const undone: string[] = [];
  const left: { what: string; reason: string }[] = [];
  const log = await openChangeLog(session.host, record.directory);
  for (const change of (await readChanges(session, record)).toReversed()) {
    const { intent } = change;
    if (intent.kind !== 'fsck' || change.undone) continue;
    const what = `file system repair of ${intent.device}`;
    try {
      const device = await deviceFor(session, options, intent);
      await undoExtRepair({ host: session.host, device, signal: session.signal }, intent.undoFile);
      await log.undone(intent.number);
      undone.push(what);
    } catch (error) {
      if (!(error instanceof RescueError) || error.code === 'INTERRUPTED') throw error;
      left.push({ what, reason: messageOf(error) });
    }
  }
  return { undone, left };
};

/** Whether a session has a file system repair that was not taken back. */
export const hasFsck = (changes: readonly RecordedChange[]): boolean =>
  changes.some((change) => isFsck(change) && !change.undone);
