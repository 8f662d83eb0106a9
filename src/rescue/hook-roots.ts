import { isBelow } from '../host/mount-table.ts';
import { RescueError } from '../host/rescue-error.ts';
import type { Session } from './session.ts';

const badRoot = (name: string, why: string): RescueError =>
  new RescueError({
    code: 'HOOK_FAILED',
    message: `A hook has named ${name} as the root of a system, and ${why}.`,
    hint: 'It may name directories below $RESCUEKIT_RUN_DIR, one in a line.',
  });

/**
 * Directories in which hooks have mounted a system that lives on something that only they know: the
 * lines of `$RESCUEKIT_HOOK_DIR/roots`. They must be in the session's private directory, where no
 * other user of the host can reach the system's files.
 *
 * @throws RescueError `HOOK_FAILED` (1) for any other directory.
 */
export const hookRoots = async (session: Session): Promise<readonly string[]> => {
  const { files } = session.host;
  const text = (await files.readText(`${session.directory}/hooks/roots`)) ?? '';
  const roots: string[] = [];
  for (const name of new Set(text.split('\n').filter((line) => line !== ''))) {
    const path = await files.realPath(name);
    const status = path === null ? null : await files.status(path);
    if (path === null || status?.kind !== 'directory') throw badRoot(name, 'it is no directory');
    const isPrivate = isBelow(path, session.runDirectory) && path !== session.runDirectory;
    if (!isPrivate) throw badRoot(name, `it is not below ${session.runDirectory}`);
    roots.push(path);
  }
  return roots;
};
