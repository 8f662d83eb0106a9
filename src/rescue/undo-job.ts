import { changeLogFile, openChangeLog } from '../changes/change-log.ts';
import { type FsckIntent, parseChangeLog, type RecordedChange } from '../changes/change-record.ts';
import { type UndoReport, undoChanges } from '../changes/undo-changes.ts';
import { flattenDevice, nodeOf } from '../devices/device.ts';
import { writableDisks } from '../diagnosis/own-disks.ts';
import { undoExtRepair } from '../filesystems/ext-repair.ts';
import { messageOf, RescueError } from '../host/rescue-error.ts';
import { type AttachedTarget, attachTarget, reopenForWriting } from './attach.ts';
import { flushSystem } from './flush-system.ts';
import { withMountHooks } from './hook-phases.ts';
import { mountDirectory, mountSystem } from './mount-system.ts';
import { nameVolumes } from './name-volumes.ts';
import type { Observer } from './observer.ts';
import { type FindOptions, type FoundTarget, findSystem } from './rescue-job.ts';
import type { Session } from './session.ts';
import type { SessionRecord } from './session-record.ts';
import { resolveTarget } from './target.ts';
import { readWrittenTarget, requireWritten } from './written-target.ts';

/** What a session changed on its target, in the order in which it did. */
export const readChanges = async (
  session: Session,
  record: Pick<SessionRecord, 'directory'>,
): Promise<readonly RecordedChange[]> =>
  parseChangeLog((await session.host.files.readText(changeLogFile(record.directory))) ?? '');

const isFsck = ({ intent }: RecordedChange): boolean => intent.kind === 'fsck';

export type UndoJobOptions = Omit<FindOptions, 'mode' | 'stackMode'> & {
  readonly force: boolean;
  /** The target was named for this undo, and not only for the session that is taken back. */
  readonly byPerson: boolean;
  /** Called when the system is mounted, before anything is put back. */
  readonly onStart?: () => Promise<void>;
};

type UndoneSession = Pick<SessionRecord, 'id' | 'directory'>;

/**
 * Finds the system that a session has written to. Arrays and groups are opened read-only as long as
 * it is not known that it is the same one.
 *
 * @throws RescueError `OTHER_DISK` (4)
 */
const findWritten = async (
  session: Session,
  record: UndoneSession,
  options: UndoJobOptions,
  observer: Observer,
): Promise<FoundTarget> => {
  const forWriting = { ...options, mode: 'write' } as const;
  const was = await readWrittenTarget(session.host, record.directory);
  if (was === null) return findSystem(session, forWriting, observer);
  const mark = session.mark();
  const looked = await findSystem(session, { ...forWriting, stackMode: 'read-only' }, observer);
  await requireWritten(session, record, was, looked, options.byPerson);
  if (looked.opened.length === 0) return looked;
  await session.takeDownSince(mark);
  return findSystem(session, forWriting, observer);
};

/**
 * Takes back what a session changed in the files and on the disks of a system: mounts it for writing
 * and puts everything back, the last change first.
 *
 * @throws RescueError `OTHER_DISK` (4), and what finding and mounting the system throw.
 */
export const undoFiles = async (
  session: Session,
  record: UndoneSession,
  options: UndoJobOptions,
  observer: Observer,
): Promise<UndoReport> => {
  const changes = (await readChanges(session, record)).filter((change) => !isFsck(change));
  if (changes.every(({ undone }) => undone)) return { undone: [], left: [] };
  const { target, system: found } = await findWritten(session, record, options, observer);
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
    flush: () => flushSystem(session.host, mounted),
  };
  const report = await observer.task(
    'Put back what the session changed',
    () => undoChanges(place, log, changes, options.force),
    ({ undone }) => `Put back ${undone.length} ${undone.length === 1 ? 'change' : 'changes'}`,
  );
  return report;
};

/**
 * Attaches what a session has written to, while nothing of it is mounted.
 *
 * @throws RescueError `OTHER_DISK` (4)
 */
const attachWritten = async (
  session: Session,
  record: UndoneSession,
  options: UndoJobOptions,
): Promise<AttachedTarget> => {
  const target = await resolveTarget(session.host, options.target);
  const forWriting = { ...options, mode: 'read-write' } as const;
  const was = await readWrittenTarget(session.host, record.directory);
  if (was === null) return attachTarget(session, target, forWriting);
  const looked = await attachTarget(session, target, { ...forWriting, stackMode: 'read-only' });
  await requireWritten(
    session,
    record,
    was,
    { target, attached: looked, system: null },
    options.byPerson,
  );
  return reopenForWriting(session, looked, options.answers);
};

const deviceFor = (
  { searched }: AttachedTarget,
  { uuid, device }: FsckIntent,
  name: string,
): string => {
  const found = searched.flatMap(flattenDevice).find((one) => uuid !== '' && one.uuid === uuid);
  const node = found === undefined ? null : nodeOf(found);
  if (node !== null) return node;
  throw new RescueError({
    code: 'NOT_OF_TARGET',
    message: `The file system that was repaired as ${device} is not on ${name}.`,
    hint: 'Name the disk that has it: rescuekit undo SESSION --disk DISK',
  });
};

/** A repair that was cut off before it had overwritten anything has kept nothing. */
const hasKept = async ({ host }: Session, { undoFile }: FsckIntent): Promise<boolean> =>
  ((await host.files.status(undoFile))?.sizeBytes ?? 0) > 0;

const endsUndo = (error: unknown): boolean =>
  !(error instanceof RescueError) || ['INTERRUPTED', 'OTHER_DISK'].includes(error.code);

/**
 * Plays the undo files of file system repairs back, while nothing of them is mounted.
 *
 * @throws RescueError `OTHER_DISK` (4)
 */
export const undoFsck = async (
  session: Session,
  record: UndoneSession,
  options: UndoJobOptions,
): Promise<UndoReport> => {
  const undone: string[] = [];
  const left: { what: string; reason: string }[] = [];
  const log = await openChangeLog(session.host, record.directory);
  let attached: AttachedTarget | null = null;
  for (const change of (await readChanges(session, record)).toReversed()) {
    const { intent } = change;
    if (intent.kind !== 'fsck' || change.undone) continue;
    const what = `file system repair of ${intent.device}`;
    try {
      if (change.done !== null || (await hasKept(session, intent))) {
        attached ??= await attachWritten(session, record, options);
        const device = deviceFor(attached, intent, options.target);
        const context = { host: session.host, device, signal: session.signal };
        await undoExtRepair(context, intent.undoFile);
        undone.push(what);
      }
      await log.undone(intent.number);
    } catch (error) {
      if (endsUndo(error)) throw error;
      left.push({ what, reason: messageOf(error) });
    }
  }
  return { undone, left };
};

/** Whether a session has a file system repair that was not taken back. */
export const hasFsck = (changes: readonly RecordedChange[]): boolean =>
  changes.some((change) => isFsck(change) && !change.undone);
