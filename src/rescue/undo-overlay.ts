import type { UndoReport } from '../changes/undo-changes.ts';
import { createHost } from '../host/host.ts';
import { exitCode, messageOf, RescueError } from '../host/rescue-error.ts';
import { type RehearsalRecord, rehearsalDirectory, writeRehearsal } from '../rehearsal/record.ts';
import { intendMerge } from './intend-merge.ts';
import type { Observer } from './observer.ts';
import type { Session } from './session.ts';
import { type UndoJobOptions, undoFiles } from './undo-job.ts';

/** The disk is gone or cannot be mounted any more: nothing of it is waited for with force. */
const isOutOfReach = (error: unknown): boolean =>
  error instanceof RescueError &&
  error.exit !== exitCode.refused &&
  error.exit !== exitCode.leftBehind &&
  error.exit !== exitCode.interrupted;

/**
 * Takes the commit of an overlay back, also one that was cut off or for which the disk had no room.
 * The layer is kept then. What was changed since is left and named, and can be put back by an undo
 * with force: files of their own are no half of anything.
 *
 * @param session that of the rehearsal: its lock is on what is half written.
 * @throws what finding and mounting the system throw; nothing is changed then. With force a disk that
 *   is gone, or cannot be mounted, is what is left: the undo can be repeated when it is back.
 */
export const undoOverlay = async (
  session: Session,
  record: RehearsalRecord,
  options: Omit<UndoJobOptions, 'onStart'>,
  observer: Observer,
): Promise<UndoReport> => {
  const { files } = createHost();
  const directory = rehearsalDirectory(session.directory);
  const step = await intendMerge(session, 'Take the layer back');
  const onStart = () => writeRehearsal(files, directory, { ...record, phase: 'undoing' });
  const report = await undoFiles(session, session, { ...options, onStart }, observer).catch(
    (error: unknown) => {
      if (!options.force || !isOutOfReach(error)) throw error;
      return { undone: [], left: [{ what: record.target, reason: messageOf(error) }] };
    },
  );
  const notPutBack = report.left.map(({ what }) => what);
  await writeRehearsal(files, directory, { ...record, phase: 'kept', notPutBack });
  await session.takeDown(step);
  return report;
};
