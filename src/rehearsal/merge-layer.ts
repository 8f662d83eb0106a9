import type { Host } from '../host/host.ts';
import type { RawFile } from '../host/raw-file.ts';
import { messageOf, RescueError, refusal } from '../host/rescue-error.ts';
import { type LayerFiles, readPieces, readRuns, sha256 } from './layer-store.ts';
import { isMixture, type Piece } from './pieces.ts';

/** `commit` puts the layer's content on the disk, `undo` what the disk had before. */
export type MergeDirection = 'commit' | 'undo';

export type Merge = {
  /** The disk or image, by a name for people and by its path. */
  readonly name: string;
  readonly path: string;
  readonly files: LayerFiles;
};

type Open = {
  readonly merge: Merge;
  readonly pieces: readonly Piece[];
  readonly disk: RawFile;
  readonly store: RawFile;
  readonly before: RawFile;
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
  const store = await open(merge.files.store, 'read');
  const before = await open(merge.files.before, 'read');
  const disk = await open(merge.path, 'write').catch((cause: unknown) => {
    throw inUse(merge, cause);
  });
  return { pieces, disk, store, before };
};

const contentsOf = async ({ store, before }: Open, piece: Piece) => {
  const old = await before.read(piece.beforeAtBytes, piece.bytes);
  const now = await readRuns(store, piece.runs);
  if (sha256(old) === piece.before && sha256(now) === piece.after) return { old, now };
  throw new RescueError({
    code: 'LAYER_DAMAGED',
    message: 'What was kept with the layer is not what it was: its checksums do not fit.',
    hint: 'Nothing more is written. Look whether the file system of the state directory is sound.',
  });
};

const changedSince = (name: string): RescueError =>
  refusal(
    'DISK_CHANGED',
    `${name} was changed since the layer was laid over it, in the very places that the layer changes.`,
    'Both together would be no consistent disk. Drop the layer, and rehearse again.',
  );

/** Everything is looked at before the first byte is written. */
const requireUnchanged = async (open: Open): Promise<void> => {
  for (const piece of open.pieces) {
    const { old, now } = await contentsOf(open, piece);
    const current = await open.disk.read(piece.atBytes, piece.bytes);
    // Also half-way from one to the other, where a merge was cut off.
    if (!isMixture(current, old, now)) throw changedSince(open.merge.name);
  }
};

const writePieces = async (
  open: Open,
  direction: MergeDirection,
  onPiece: () => void,
): Promise<void> => {
  for (const piece of open.pieces) {
    const { old, now } = await contentsOf(open, piece);
    const wanted = direction === 'commit' ? now : old;
    const current = await open.disk.read(piece.atBytes, piece.bytes);
    if (!current.equals(wanted)) await open.disk.write(piece.atBytes, wanted);
    onPiece();
  }
  await open.disk.sync();
};

const requireWritten = async (open: Open, direction: MergeDirection): Promise<void> => {
  for (const piece of open.pieces) {
    const current = await open.disk.read(piece.atBytes, piece.bytes);
    if (sha256(current) === (direction === 'commit' ? piece.after : piece.before)) continue;
    throw new RescueError({
      code: 'NOT_WRITTEN',
      message: `${open.merge.name} does not hold what was written to it at byte ${piece.atBytes}.`,
      hint: 'Look for input/output errors of the disk (dmesg). What it held before is kept in the session.',
    });
  }
};

/** What is read afterwards is to come from the disk and not from the memory of this machine. */
const forgetCached = async (host: Host, path: string): Promise<void> => {
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
 * @throws RescueError `BUSY`, `DISK_CHANGED` (4), `LAYER_DAMAGED`, `NOT_WRITTEN` (1).
 */
export const mergeLayers = async (
  host: Host,
  merges: readonly Merge[],
  direction: MergeDirection,
  onStart: () => Promise<void>,
  onProgress: (share: number) => void,
): Promise<void> => {
  const all: Open[] = [];
  const opened: RawFile[] = [];
  try {
    for (const merge of merges) all.push({ merge, ...(await openMerge(host, merge, opened)) });
    for (const open of all) await requireUnchanged(open);
    await onStart();
    const total = all.reduce((sum, { pieces }) => sum + pieces.length, 0);
    let done = 0;
    for (const open of all) await writePieces(open, direction, () => onProgress(++done / total));
    for (const open of all) {
      await forgetCached(host, open.merge.path);
      await requireWritten(open, direction);
    }
  } finally {
    for (const file of opened) await file.close();
  }
};
