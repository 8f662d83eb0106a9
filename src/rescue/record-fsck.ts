import { openChangeLog } from '../changes/change-log.ts';
import type { CheckResult } from '../filesystems/file-system.ts';
import type { Session } from './session.ts';

/**
 * Notes the undo file of a file system repair among the changes of its session, so that `undo` finds
 * it. The file system is named by its UUID: its device may be called otherwise the next time.
 */
export const recordFsckUndo = async (
  session: Pick<Session, 'host' | 'directory'>,
  { device, undoFile }: Pick<CheckResult, 'device' | 'undoFile'>,
): Promise<void> => {
  if (undoFile === null) return;
  const { stdout } = await session.host.run({
    program: 'blkid',
    args: ['--probe', '--match-tag', 'UUID', '--output', 'value', device],
    // 2: nothing was found on it (blkid(8)).
    accept: [0, 2],
    changes: false,
  });
  const log = await openChangeLog(session.host, session.directory);
  const number = await log.intend({ kind: 'fsck', uuid: stdout.trim(), device, undoFile });
  await log.done({ number, after: null, sha256: null });
};
