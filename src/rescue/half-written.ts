import type { Device } from '../devices/device.ts';
import { refusal } from '../host/rescue-error.ts';
import { isHalfWritten, readRehearsal, rehearsalDirectory } from '../rehearsal/record.ts';
import { maybeSame } from '../rehearsal/same-disk.ts';
import type { Session } from './session.ts';

/**
 * Refuses a disk that another session has written only a part of a layer to. Its lock is for the
 * number that the kernel gave the disk, which is another one when the machine was started anew; so
 * the disk is looked for by what it is.
 *
 * @param disk a whole disk, or the loop device of an image.
 * @throws RescueError `HALF_WRITTEN` (4)
 */
export const requireWhole = async (
  { id: own, paths, host: { files } }: Pick<Session, 'id' | 'paths' | 'host'>,
  disk: Device,
): Promise<void> => {
  for (const id of (await files.list(paths.sessions)) ?? []) {
    if (id === own) continue;
    const directory = rehearsalDirectory(`${paths.sessions}/${id}`);
    // A record that cannot be read is told of where its session is asked for.
    const record = await readRehearsal(files, directory).catch(() => null);
    if (record === null || !isHalfWritten(record)) continue;
    if (!record.disks.some((one) => maybeSame(one, disk))) continue;
    const [what, finish] =
      record.phase === 'committing'
        ? ['a commit', `Finish it: rescuekit rehearse ${id} --commit. Or take it back`]
        : ['an undo', 'Finish it'];
    throw refusal(
      'HALF_WRITTEN',
      `${disk.path ?? disk.name} is half written: ${what} of session ${id} was cut off on it.`,
      `${finish}: rescuekit undo ${id}`,
    );
  }
};
