import { hidingCopies } from '../filesystems/btrfs-hide.ts';
import { type BtrfsSuperblock, readBtrfsSuperblock } from '../filesystems/btrfs-superblock.ts';
import type { Command } from '../host/command.ts';
import type { Host } from '../host/host.ts';
import type { Step } from '../host/step.ts';
import { gone, leftBusy, type UndoResult, undone } from '../host/undo-result.ts';
import { forgetArgs } from './btrfs-registration.ts';

/** libblkid keeps its findings in a file of the host (libblkid(3)); for this it is not needed. */
const noCache = { BLKID_FILE: '/dev/null' };

/**
 * The command that gives one device's file system another UUID. Only the superblock is changed: the
 * blocks keep the old UUID, which then stands in it as metadata_uuid (btrfstune(8), -M).
 */
export const renameCommand = (node: string, fsid: string): Command => ({
  program: 'btrfstune',
  args: ['-M', fsid, node],
  env: noCache,
});

/** The step that renames a clone on the disk itself, for as long as the session lasts. */
export const renameStep = (
  node: string,
  { fsid, deviceUuid }: BtrfsSuperblock,
  temporary: string,
): Step => ({
  title: `Give the btrfs on ${node} the UUID ${temporary} for this session`,
  commands: [renameCommand(node, temporary)],
  why: 'The kernel of this machine cannot have two file systems with the same UUID mounted.',
  risk: `the UUID in its superblock is changed, and put back to ${fsid} at the end`,
  undo: { kind: 'restore-btrfs-uuid', device: node, fsid, temporary, deviceUuid },
});

/** The step that renames a cover; nothing has to be put back, the cover goes away. */
export const renameCoverStep = (cover: string, temporary: string): Step => ({
  title: `Give the btrfs on the cover ${cover} the UUID ${temporary}`,
  commands: [renameCommand(cover, temporary)],
  why: 'The kernel of this machine cannot have two file systems with the same UUID mounted.',
  risk: 'none for the disk: the change stays in the cover',
  undo: { kind: 'btrfs-registration', fsid: temporary, forget: [cover], register: [] },
});

type Renamed = {
  readonly device: string;
  readonly fsid: string;
  readonly temporary: string;
  readonly deviceUuid: string;
};

/** The renamed device: where it was, or where it is after the disk was attached anew. */
const findRenamed = async (
  host: Host,
  { device, temporary, deviceUuid }: Renamed,
): Promise<{ readonly node: string; readonly isThere: boolean }> => {
  const isIt = (superblock: BtrfsSuperblock | null): boolean =>
    superblock?.deviceUuid === deviceUuid &&
    (superblock.fsid === temporary || superblock.isChanging);
  if (isIt(await readBtrfsSuperblock(host.run, device))) return { node: device, isThere: true };
  for (const name of (await host.files.list('/sys/class/block')) ?? []) {
    const node = `/dev/${name}`;
    const superblock = await readBtrfsSuperblock(host.run, node);
    if (superblock?.fsid === temporary && isIt(superblock)) return { node, isThere: true };
  }
  return { node: device, isThere: false };
};

/** btrfstune refuses a UUID that libblkid sees on another device, and the original is attached. */
const putBack = async (host: Host, node: string, fsid: string): Promise<void> => {
  const { stdout } = await host.run({
    program: 'blkid',
    args: ['--cache-file', '/dev/null', '--match-token', `UUID=${fsid}`, '--output', 'device'],
    // 2: no device has it.
    accept: [0, 2],
    changes: false,
  });
  const others = stdout.split('\n').filter((other) => other !== '' && other !== node);
  const { program, args } = renameCommand(node, fsid);
  await host.run({ ...hidingCopies(others, program, args), env: noCache });
};

/**
 * Gives a renamed clone its UUID back, and looks at it. A disk that was pulled while it was renamed
 * is left: it must be attached again.
 */
export const restoreBtrfsUuid = async (host: Host, renamed: Renamed): Promise<UndoResult> => {
  const { device, fsid, temporary, deviceUuid } = renamed;
  const now = await readBtrfsSuperblock(host.run, device);
  if (now?.deviceUuid === deviceUuid && now.fsid === fsid && !now.isChanging) return gone;
  const { node, isThere } = await findRenamed(host, renamed);
  if (!isThere) {
    const reason = `the btrfs ${deviceUuid} was renamed to ${temporary} and is not attached: attach it, then run rescuekit cleanup`;
    return { outcome: 'left', reason };
  }
  if ((await host.files.status(`/sys/fs/btrfs/${temporary}`)) !== null) {
    return leftBusy(host, node, { path: node, majorMinor: null });
  }
  await host.run({ program: 'btrfs', args: forgetArgs(node), accept: [0, 1] });
  await putBack(host, node, fsid);
  const after = await readBtrfsSuperblock(host.run, node);
  return after?.fsid === fsid && !after.isChanging
    ? undone
    : { outcome: 'left', reason: `${node} still has the UUID ${after?.fsid ?? 'of nothing'}` };
};
