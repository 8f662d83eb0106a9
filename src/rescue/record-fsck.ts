import { openChangeLog } from '../changes/change-log.ts';
import type { Host } from '../host/host.ts';
import type { Session } from './session.ts';

/** The UUID of the file system on a device; empty when none is found on it. */
export const readUuid = async (host: Pick<Host, 'run'>, device: string): Promise<string> => {
  const { stdout } = await host.run({
    program: 'blkid',
    args: ['--probe', '--match-tag', 'UUID', '--output', 'value', device],
    // 2: nothing was found on it; 8: several things that exclude each other (blkid(8)).
    accept: [0, 2, 8],
    changes: false,
  });
  return stdout.trim();
};

/** Notes the end of a file system repair: `kept` when its undo file is there. */
export type EndFsck = (kept: boolean) => Promise<void>;

/**
 * Notes the undo file of a file system repair among the changes of its session before the repair is
 * begun, so that `undo` finds it whatever becomes of this process. The file system is named by its
 * UUID: its device may be called otherwise the next time.
 */
export const intendFsck = async (
  { host, directory }: Pick<Session, 'host' | 'directory'>,
  device: string,
  undoFile: string,
): Promise<EndFsck> => {
  const log = await openChangeLog(host, directory);
  const common = { kind: 'fsck', device, undoFile } as const;
  const uuid = await readUuid(host, device);
  const first = await log.intend({ ...common, uuid });
  const done = (number: number) => log.done({ number, after: null, sha256: null });
  return async (kept) => {
    if (!kept) return log.undone(first);
    // Only now that its superblock is there again it can be told by its UUID.
    const mended = uuid === '' ? await readUuid(host, device) : uuid;
    if (mended === uuid) return done(first);
    await done(await log.intend({ ...common, uuid: mended }));
    return log.undone(first);
  };
};
