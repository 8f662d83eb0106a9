import { z } from 'zod';
import type { Device } from '../devices/device.ts';
import type { Host } from '../host/host.ts';
import { mountHolding, readMounts } from '../host/mount-table.ts';
import { RescueError, refusal } from '../host/rescue-error.ts';
import { layeredDiskSchema } from '../rehearsal/record.ts';
import { maybeCopy, maybeSame } from '../rehearsal/same-disk.ts';
import { volumeOn } from './btrfs-volumes.ts';
import { readUuid } from './record-fsck.ts';
import { recordDisks } from './rehearsal-look.ts';
import type { FoundTarget } from './rescue-job.ts';
import type { Session } from './session.ts';
import type { SessionRecord } from './session-record.ts';

const directorySchema = z.object({
  /** Numbers of its file system and inode; the kernel may number the former anew. */
  device: z.int(),
  inode: z.int(),
  /** Seconds since the epoch: a directory that was made later may get the same inode. */
  born: z.int().nullable(),
});

const writtenTargetSchema = z.object({
  version: z.literal(1),
  kind: z.enum(['device', 'image', 'directory']),
  /** Absolute, with all links resolved. */
  path: z.string(),
  /** Of the root file system, or of the one that a directory lies on; null when it has none. */
  uuid: z.string().nullable(),
  /** The disks of the system; none for a directory. */
  disks: z.array(layeredDiskSchema).readonly(),
  /** Null for a disk. */
  directory: directorySchema.nullable(),
});

/** What a session has written to, with all by which it is known again. */
export type WrittenTarget = Readonly<z.infer<typeof writtenTargetSchema>>;

/** What the name that was given leads to now. */
export type TargetNow = Pick<WrittenTarget, 'kind' | 'path' | 'uuid' | 'directory'> & {
  /** The disk that was named; null for a directory. */
  readonly named: Device | null;
  /** It was named for this very undo: a copy, or the same under another serial number, will do. */
  readonly byPerson: boolean;
};

type Found = Pick<FoundTarget, 'target' | 'attached'> & {
  /** Null where only a file system is looked for. */
  readonly system: FoundTarget['system'] | null;
};

const fileOf = (directory: string): string => `${directory}/target.json`;

/** What stat(1) says of the birth of a file: 0 or `-` where the file system does not keep it. */
const bornAt = async (host: Host, path: string): Promise<number | null> => {
  const { stdout } = await host.run({
    program: 'stat',
    args: ['--format=%W', '--', path],
    changes: false,
  });
  const seconds = Number(stdout.trim());
  return Number.isInteger(seconds) && seconds > 0 ? seconds : null;
};

/** The UUID of the file system that a directory lies on; null when it is on no block device. */
const uuidBelow = async (host: Host, path: string): Promise<string | null> => {
  const mount = mountHolding(await readMounts(host.files), path);
  if (mount === null || !mount.source.startsWith('/dev/')) return null;
  return (await readUuid(host, mount.source)) || null;
};

const lookAtDirectory = async (
  host: Host,
  path: string,
): Promise<Pick<WrittenTarget, 'uuid' | 'directory'>> => {
  const status = await host.files.statusFollowed(path);
  if (status === null) return { uuid: null, directory: null };
  const directory = { device: status.dev, inode: status.ino, born: await bornAt(host, path) };
  return { uuid: await uuidBelow(host, path), directory };
};

/** Of a btrfs that was renamed for the session the UUID that is its own. */
const uuidOfRoot = ({ system }: Found): string | null => {
  const place = system?.place ?? null;
  if (place === null) return null;
  return volumeOn(place.volumes ?? [], place.device)?.fsid ?? place.device.uuid;
};

const lookAt = async (
  host: Host,
  found: Found,
): Promise<Pick<WrittenTarget, 'kind' | 'path' | 'uuid' | 'directory'>> => {
  const { kind, path } = found.target;
  return kind === 'directory'
    ? { kind, path, ...(await lookAtDirectory(host, path)) }
    : { kind, path, uuid: uuidOfRoot(found), directory: null };
};

/**
 * Keeps what a session is about to write to, so that `undo` puts nothing back on another disk. Done
 * once, before the first change.
 */
export const recordTarget = async (
  session: Pick<Session, 'host' | 'directory'>,
  found: Pick<FoundTarget, 'target' | 'attached' | 'system'>,
): Promise<void> => {
  const { host, directory } = session;
  if ((await host.files.status(fileOf(directory))) !== null) return;
  const disks = found.attached === null ? [] : await recordDisks(session, found);
  const record: WrittenTarget = { version: 1, ...(await lookAt(host, found)), disks };
  await host.files.writeText(fileOf(directory), `${JSON.stringify(record, null, 2)}\n`, 0o600);
};

/** @returns null for a session that has written nothing, or was made by an earlier version. */
export const readWrittenTarget = async (
  { files }: Pick<Host, 'files'>,
  directory: string,
): Promise<WrittenTarget | null> => {
  const text = await files.readText(fileOf(directory));
  if (text === null) return null;
  try {
    return writtenTargetSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new RescueError({
      code: 'STATE_DAMAGED',
      message: `${fileOf(directory)} cannot be read: it says what the session has written to.`,
      hint: `What was there before is kept in ${directory}/changes.`,
      cause,
    });
  }
};

const otherDirectory = (was: WrittenTarget, now: TargetNow): string | null => {
  const [old, own] = [was.directory, now.directory];
  if (old === null || own === null) return 'one is a directory and the other is none';
  const isLater = old.born !== null && own.born !== null && old.born !== own.born;
  if (old.inode !== own.inode || isLater) return 'it is another directory';
  const isKnown = was.uuid !== null && now.uuid !== null;
  return isKnown || now.byPerson || old.device === own.device
    ? null
    : 'it is on another file system';
};

const otherDisk = (was: WrittenTarget, now: TargetNow): string | null => {
  const { named } = now;
  if (named === null || was.disks.length === 0) return null;
  const hasRoot = was.uuid !== null && now.uuid !== null;
  if (now.byPerson) {
    const isLike = hasRoot || was.disks.some((disk) => maybeCopy(disk, named));
    return isLike ? null : 'nothing of what was on the disk is on this one, or its size differs';
  }
  // A loop device is another one each time, the file is the same.
  if (was.kind === 'image' && now.kind === 'image' && was.path === now.path) return null;
  if (was.disks.some((disk) => maybeSame(disk, named))) return null;
  return hasRoot
    ? 'its size or serial number differs, so it may be a copy'
    : 'its size, serial number or UUIDs differ';
};

/**
 * In what the target of an undo differs from what was written to. UUIDs have to be the same. Size
 * and serial number have to be, too, unless the person has named the disk: a golden image gives a
 * whole fleet the same UUIDs.
 *
 * @returns null when it is the same, as far as can be told; else the reason, to follow a colon.
 */
export const differenceOf = (was: WrittenTarget, now: TargetNow): string | null => {
  if (was.uuid !== null && now.uuid !== null && was.uuid !== now.uuid) {
    return `its file system has the UUID ${now.uuid}, not ${was.uuid}`;
  }
  const areDisks = was.kind !== 'directory' && now.kind !== 'directory';
  return areDisks ? otherDisk(was, now) : otherDirectory(was, now);
};

const wordsFor = ({ kind, path, uuid, disks }: WrittenTarget): string => {
  if (kind === 'directory') return `the directory ${path}`;
  const serials = disks.flatMap(({ serial }) => serial ?? []);
  const marks = [
    ...(uuid === null ? [] : [`UUID ${uuid} of its root file system`]),
    ...(serials.length === 0 ? [] : [`serial number ${serials.join(', ')}`]),
    ...(disks[0] === undefined ? [] : [`${disks[0].sizeBytes} bytes`]),
  ];
  return `${path} (${marks.join(', ')})`;
};

/**
 * Refuses a target that is not the one that a session has written to. Nothing overrides that; what
 * the disk is called by now can be told.
 *
 * @param was null when it is not known: a session of an earlier version.
 * @throws RescueError `OTHER_DISK` (4)
 */
export const requireWritten = async (
  { host }: Pick<Session, 'host'>,
  { id }: Pick<SessionRecord, 'id'>,
  was: WrittenTarget | null,
  found: Found,
  byPerson: boolean,
): Promise<void> => {
  if (was === null) return;
  const now = { ...(await lookAt(host, found)), named: found.attached?.disk ?? null, byPerson };
  const difference = differenceOf(was, now);
  if (difference === null) return;
  throw refusal(
    'OTHER_DISK',
    `${found.target.name} is not what session ${id} has written to: ${difference}. Nothing was changed.`,
    `It was ${wordsFor(was)} then. Say what it is called now: rescuekit undo ${id} --disk ${was.kind === 'directory' ? 'DIRECTORY' : 'DISK'}`,
  );
};
