import type { UndoReport } from '../changes/undo-changes.ts';
import { createHost } from '../host/host.ts';
import { type RehearsalRecord, rehearsalDirectory, writeRehearsal } from '../rehearsal/record.ts';
import type { Observer } from './observer.ts';
import type { Session } from './session.ts';
import { type UndoJobOptions, undoFiles } from './undo-job.ts';

/**
 * Takes the commit of an overlay back, also one that was cut off or for which the disk had no room.
 * The layer is kept then. What was changed since is left and named, and can be put back by an undo
 * with force: files of their own are no half of anything.
 *
 * @param session that of the rehearsal: its lock is on what is half written.
 * @throws what finding and mounting the system throw; nothing is changed then.
 */
export const undoOverlay = async (
  session: Session,
  record: RehearsalRecord,
  options: Omit<UndoJobOptions, 'onStart'>,
  observer: Observer,
): Promise<UndoReport> => {
  const { files } = createHost();
  const directory = rehearsalDirectory(session.directory);
  const step = await session.intend('Take the layer back', {
    kind: 'finish-merge',
    directory,
    session: session.id,
  });
  const onStart = () => writeRehearsal(files, directory, { ...record, phase: 'undoing' });
  const report = await undoFiles(session, session, { ...options, onStart }, observer);
  await writeRehearsal(files, directory, { ...record, phase: 'kept' });
  await session.takeDown(step);
  return report;
};
