import type { Host } from '../host/host.ts';
import { gone, type UndoResult } from '../host/undo-result.ts';
import { isHalfWritten, readRehearsal } from './record.ts';

/**
 * What is left of a merge. One that was cut off is not taken down but finished: half of a layer on a
 * disk is no state to leave it in.
 *
 * @param action the directory of the rehearsal and its session.
 */
export const mergeState = async (
  host: Host,
  { directory, session }: { readonly directory: string; readonly session: string },
): Promise<UndoResult> => {
  const record = await readRehearsal(host.files, directory);
  if (record === null || !isHalfWritten(record)) return gone;
  const [word, end] =
    record.phase === 'committing'
      ? ['the commit', `rescuekit rehearse ${session} --commit, or taken back: `]
      : ['the undo', ''];
  const disks = record.disks.map(({ name }) => name).join(', ') || record.target;
  return {
    outcome: 'left',
    reason: `${word} was cut off, and ${disks} must not be used before it is finished: ${end}rescuekit undo ${session}`,
  };
};
