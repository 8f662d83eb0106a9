import { type Device, flattenDevice, nodeOf } from '../devices/device.ts';
import { diskWith, marksOf } from '../devices/disk-marks.ts';
import type { Host } from '../host/host.ts';
import { RescueError, refusal } from '../host/rescue-error.ts';
import { sha256 } from '../host/sha256.ts';
import type { Change } from './change.ts';
import { backupOf, type ChangeLog } from './change-log.ts';
import type { BytesIntent, ChangeDone, RecordedChange } from './change-record.ts';
import { requireBackup } from './undo-entry.ts';

export type BytesChange = Extract<Change, { kind: 'write-bytes' }>;

type DiskPlace = Pick<BytesIntent, 'disk' | 'diskBytes' | 'marks' | 'partition'>;

/** Where a device stands among the system's disks; a loop device has another number the next time. */
const placeOnDisks = (disks: readonly Device[], path: string): DiskPlace => {
  for (const [disk, device] of disks.entries()) {
    const found = flattenDevice(device).find((one) => one.path === path || nodeOf(one) === path);
    if (found === undefined) continue;
    const known = { disk, diskBytes: device.sizeBytes, marks: marksOf(device) };
    if (found === device) return { ...known, partition: null };
    const number = found.partition?.number ?? null;
    if (number !== null && device.children.includes(found)) {
      return { ...known, partition: number };
    }
  }
  throw new RescueError({
    code: 'NOT_OF_TARGET',
    message: `${path} is no disk of the target and no partition of one; nothing was written.`,
  });
};

/** The disks may be named in another order the next time, and another one may be among them. */
const deviceAt = (disks: readonly Device[], place: DiskPlace): string => {
  const { disk, diskBytes, marks = [], partition } = place;
  const device = diskWith(disks, marks, disk);
  const node =
    partition === null
      ? device
      : device?.children.find((child) => child.partition?.number === partition);
  if (device?.sizeBytes === diskBytes && node?.path) return node.path;
  throw refusal(
    'OTHER_DISK',
    'The disk is not the one that the session has written to: its size, partitions or UUIDs differ.',
    'Name the disk: rescuekit undo SESSION --disk DISK',
  );
};

/**
 * Writes bytes outside of any file system; what was there is backed up first, and they are read
 * back afterwards.
 *
 * @returns null when they are there already.
 * @throws RescueError `NOT_OF_TARGET`, `CHANGE_FAILED` (1).
 */
export const applyBytesChange = async (
  host: Host,
  disks: readonly Device[],
  log: ChangeLog,
  { device, offsetBytes, bytes, what }: BytesChange,
): Promise<{ readonly what: string } | null> => {
  const place = placeOnDisks(disks, device);
  const before = await host.files.readAt(device, offsetBytes, bytes.length);
  if (before.equals(bytes)) return null;
  if (before.length !== bytes.length) throw tooShort(device, what);
  const file = `${log.directory}/${log.next()}.bytes`;
  await host.files.writeSynced(file, before);
  const written = `${log.directory}/${log.next()}.new.bytes`;
  await host.files.writeSynced(written, bytes);
  const number = await log.intend({
    kind: 'bytes',
    ...place,
    offsetBytes,
    length: bytes.length,
    what,
    backup: await backupOf(host, file),
    written: await backupOf(host, written),
  });
  await host.files.writeAt(device, offsetBytes, bytes);
  const after = await host.files.readAt(device, offsetBytes, bytes.length);
  if (!after.equals(bytes)) throw tooShort(device, what);
  await log.done({ number, after: null, sha256: sha256(bytes) });
  return { what };
};

const tooShort = (device: string, what: string): RescueError =>
  new RescueError({
    code: 'CHANGE_FAILED',
    message: `${what} could not be written to ${device}: the device is too short or did not take it.`,
    hint: 'rescuekit undo puts back what was there.',
  });

/** What the session has written, or a part of it when it was killed in its midst. */
const isOurs = async (
  host: Host,
  { intent, done }: { readonly intent: BytesIntent; readonly done: ChangeDone | null },
  old: Buffer,
  now: Buffer,
): Promise<boolean> => {
  if (done !== null) return sha256(now) === done.sha256;
  if (intent.written === undefined) return true;
  await requireBackup(host, intent.written);
  const written = await host.files.readAt(intent.written.file, 0, intent.length);
  return now.every((byte, index) => byte === old[index] || byte === written[index]);
};

/** Puts bytes back. @throws RescueError `CHANGED_SINCE`, `OTHER_DISK` (4), `BACKUP_DAMAGED` (1). */
export const undoBytes = async (
  host: Host,
  disks: readonly Device[],
  { done }: RecordedChange,
  intent: BytesIntent,
  force: boolean,
): Promise<string | null> => {
  const device = deviceAt(disks, intent);
  await requireBackup(host, intent.backup);
  const old = await host.files.readAt(intent.backup.file, 0, intent.length);
  const now = await host.files.readAt(device, intent.offsetBytes, intent.length);
  if (now.equals(old)) return null;
  if (!force && !(await isOurs(host, { intent, done }, old, now))) {
    throw refusal(
      'CHANGED_SINCE',
      `${intent.what} was changed after the session did; it is left as it is.`,
      'With --force the state from before the session is put back all the same.',
    );
  }
  await host.files.writeAt(device, intent.offsetBytes, old);
  return intent.what;
};
