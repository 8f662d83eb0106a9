import type { Host } from '../host/host.ts';
import type { RawFile } from '../host/raw-file.ts';
import { messageOf, RescueError, refusal } from '../host/rescue-error.ts';
import { sha256 } from '../host/sha256.ts';
import { type LayerFiles, readPieces, readRuns } from './layer-store.ts';
import { isMixture, type Piece } from './pieces.ts';

/** `commit` puts the layer's content on the disk, `undo` what the disk had before. */
export type MergeDirection = 'commit' | 'undo';

export type Merge = {
  /** The disk or image, by a name for people and by its path. */
  readonly name: string;
  readonly path: string;
  readonly files: LayerFiles;
};

/** How layers are merged. */
export type MergeWish = {
  readonly direction: MergeDirection;
  /** The disks are half written already: then only what is to be written has to be whole. */
  readonly begun: boolean;
};

type Open = {
  readonly merge: Merge;
  readonly pieces: readonly Piece[];
  readonly disk: RawFile;
  /** Null where it cannot be opened. */
  readonly store: RawFile | null;
  readonly before: RawFile | null;
};

const inUse = ({ name }: Merge, cause: unknown): RescueError =>
  refusal(
    'BUSY',
    `${name} is in use: it cannot be written as a whole now (${messageOf(cause)}).`,
    'Unmount what is mounted from it, and look for arrays and volume groups on it: lsblk',
  );

/** @param opened takes each file as it is opened, to be closed also when the next one fails. */
const openMerge = async (
  { files }: Host,
  merge: Merge,
  opened: RawFile[],
): Promise<Omit<Open, 'merge'>> => {
  const open = async (path: string, mode: 'read' | 'write'): Promise<RawFile> => {
    const file = await files.openRaw(path, mode);
    opened.push(file);
    return file;
  };
  const pieces = await readPieces(files, merge.files.list);
  const store = await open(merge.files.store, 'read').catch(() => null);
  const before = await open(merge.files.before, 'read').catch(() => null);
  const disk = await open(merge.path, 'write').catch((cause: unknown) => {
    throw inUse(merge, cause);
  });
  return { pieces, disk, store, before };
};

const whole = async (content: Promise<Buffer>, sum: string): Promise<Buffer | null> => {
  const bytes = await content.catch(() => null);
  return bytes !== null && sha256(bytes) === sum ? bytes : null;
};

/** What the disk held before; null when what was kept of it is not what it was. */
export const keptBefore = async (before: RawFile | null, piece: Piece): Promise<Buffer | null> =>
  before === null ? null : whole(before.read(piece.beforeAtBytes, piece.bytes), piece.before);

const contentsOf = async ({ store, before }: Open, piece: Piece) => ({
  old: await keptBefore(before, piece),
  now: store === null ? null : await whole(readRuns(store, piece.runs), piece.after),
});

/** Something is on the disks already, and has to come to an end. */
const isOnDisk = ({ direction, begun }: MergeWish): boolean => begun || direction === 'undo';

const damaged = (wish: MergeWish): RescueError =>
  new RescueError({
    code: 'LAYER_DAMAGED',
    message: 'What was kept with the layer is not what it was: its checksums do not fit.',
    hint: isOnDisk(wish)
      ? 'Nothing more is written. The other direction may still go; rescuekit undo SESSION --force puts back all that is whole.'
      : 'Nothing is written. Look whether the file system of the state directory is sound.',
  });

const changedHint = ({ direction, begun }: MergeWish): string => {
  if (begun) {
    return 'Look at what has written there. rescuekit undo SESSION --force puts back what was there before the commit all the same.';
  }
  return direction === 'commit'
    ? 'Both together would be no consistent disk. Drop the layer, and rehearse again.'
    : 'What was written since stands on what was committed: without it there would be no consistent disk.';
};

export const changedSince = (name: string, wish: MergeWish): RescueError =>
  refusal(
    'DISK_CHANGED',
    `${name} was changed since the layer was laid over it, in the very places that the layer changes.`,
    changedHint(wish),
  );

const readDisk = async ({ disk, merge }: Open, piece: Piece): Promise<Buffer> => {
  try {
    return await disk.read(piece.atBytes, piece.bytes);
  } catch (cause) {
    throw new RescueError({
      code: 'DISK_UNREADABLE',
      message: `${merge.name} cannot be read at byte ${piece.atBytes}: ${messageOf(cause)}.`,
      hint: 'Look for input/output errors of the disk (dmesg). A commit that was begun is taken back as far as the disk allows with: rescuekit undo SESSION --force',
      cause,
    });
  }
};

/** With one of two contents lost the disk has to hold the one or the other as a whole. */
const isKnown = (current: Buffer, piece: Piece, old: Buffer | null, now: Buffer | null): boolean =>
  old !== null && now !== null
    ? // Also half-way from one to the other, where a merge was cut off.
      isMixture(current, old, now)
    : [piece.before, piece.after].includes(sha256(current));

const isEnough = (
  { direction, begun }: MergeWish,
  old: Buffer | null,
  now: Buffer | null,
): boolean => {
  if (direction === 'undo') return old !== null;
  // What cannot be taken back is not begun.
  return now !== null && (begun || old !== null);
};

/** Everything is looked at before the first byte is written. */
const requireUnchanged = async (open: Open, wish: MergeWish): Promise<void> => {
  for (const piece of open.pieces) {
    const { old, now } = await contentsOf(open, piece);
    if (!isEnough(wish, old, now)) throw damaged(wish);
    const current = await readDisk(open, piece);
    if (!isKnown(current, piece, old, now)) throw changedSince(open.merge.name, wish);
  }
};

const writePieces = async (open: Open, wish: MergeWish, onPiece: () => void): Promise<void> => {
  for (const piece of open.pieces) {
    const { old, now } = await contentsOf(open, piece);
    const wanted = wish.direction === 'commit' ? now : old;
    if (wanted === null) throw damaged(wish);
    const current = await readDisk(open, piece);
    if (!current.equals(wanted)) await open.disk.write(piece.atBytes, wanted);
    onPiece();
  }
  await open.disk.sync();
};

const requireWritten = async (open: Open, { direction }: MergeWish): Promise<void> => {
  for (const piece of open.pieces) {
    const current = await readDisk(open, piece);
    if (sha256(current) === (direction === 'commit' ? piece.after : piece.before)) continue;
    throw new RescueError({
      code: 'NOT_WRITTEN',
      message: `${open.merge.name} does not hold what was written to it at byte ${piece.atBytes}.`,
      hint: 'Look for input/output errors of the disk (dmesg). What it held before is kept in the session: rescuekit undo SESSION, with --force as far as the disk allows.',
    });
  }
};

/** What is read afterwards is to come from the disk and not from the memory of this machine. */
export const forgetCached = async (host: Host, path: string): Promise<void> => {
  if ((await host.files.statusFollowed(path))?.kind !== 'block') return;
  await host.run({ program: 'blockdev', args: ['--flushbufs', path], changes: false });
};

/**
 * Writes the layers of all disks of a system to them, or takes that back. All disks are looked at
 * first, and claimed as a whole, so that nobody mounts or assembles what is half written. May be
 * repeated after it was cut off at any moment: each piece of a disk then is the old or the new one.
 *
 * @param onStart called when all is known to be right, before the first byte is written.
 * @param onProgress the share that is done, from 0 to 1.
 * @throws RescueError `BUSY`, `DISK_CHANGED` (4), `LAYER_DAMAGED`, `DISK_UNREADABLE`, `NOT_WRITTEN`
 *   (1).
 */
export const mergeLayers = async (
  host: Host,
  merges: readonly Merge[],
  wish: MergeWish,
  onStart: () => Promise<void>,
  onProgress: (share: number) => void,
): Promise<void> => {
  const all: Open[] = [];
  const opened: RawFile[] = [];
  try {
    for (const merge of merges) all.push({ merge, ...(await openMerge(host, merge, opened)) });
    for (const open of all) await requireUnchanged(open, wish);
    await onStart();
    const total = all.reduce((sum, { pieces }) => sum + pieces.length, 0);
    let done = 0;
    for (const open of all) await writePieces(open, wish, () => onProgress(++done / total));
    for (const open of all) {
      await forgetCached(host, open.merge.path);
      await requireWritten(open, wish);
    }
  } finally {
    for (const file of opened) await file.close();
  }
};
