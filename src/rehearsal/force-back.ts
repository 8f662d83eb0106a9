import type { Host } from '../host/host.ts';
import type { RawFile } from '../host/raw-file.ts';
import { messageOf, type RescueError, refusal } from '../host/rescue-error.ts';
import { sha256 } from '../host/sha256.ts';
import { readPieces } from './layer-store.ts';
import { changedSince, forgetCached, keptBefore, type Merge } from './merge-layer.ts';
import type { Piece } from './pieces.ts';

/** What of a disk could not be put back, and why. */
export type NotPutBack = { readonly what: string; readonly reason: string };

type Open = {
  readonly merge: Merge;
  readonly pieces: readonly Piece[];
  readonly disk: RawFile;
  readonly before: RawFile;
};

const isBusy = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'EBUSY';

/** A disk of which nothing can be written is what is left; one that is in use is refused. */
const openOr = async (
  { files }: Host,
  merge: Merge,
  opened: RawFile[],
): Promise<Open | NotPutBack> => {
  const open = async (path: string, mode: 'read' | 'write'): Promise<RawFile> => {
    const file = await files.openRaw(path, mode);
    opened.push(file);
    return file;
  };
  try {
    const pieces = await readPieces(files, merge.files.list);
    const before = await open(merge.files.before, 'read');
    return { merge, pieces, before, disk: await open(merge.path, 'write') };
  } catch (error) {
    if (!isBusy(error)) return { what: merge.name, reason: messageOf(error) };
    throw refusal(
      'BUSY',
      `${merge.name} is in use: it cannot be written as a whole now.`,
      'Unmount what is mounted from it, and look for arrays and volume groups on it: lsblk',
    );
  }
};

const leftOf = ({ name }: Merge, piece: Piece, reason: string): NotPutBack => ({
  what: `${piece.bytes} bytes of ${name} from byte ${piece.atBytes} on`,
  reason,
});

/** @returns why it could not be written; null when it was, as far as the kernel tells by now. */
const writeOne = async ({ disk, before }: Open, piece: Piece): Promise<string | null> => {
  const old = await keptBefore(before, piece);
  if (old === null) return 'what the disk held there is not kept whole';
  const current = await disk.read(piece.atBytes, piece.bytes).catch(() => null);
  if (current?.equals(old) === true) return null;
  try {
    await disk.write(piece.atBytes, old);
    return null;
  } catch (error) {
    return messageOf(error);
  }
};

const lookAgain = async ({ disk }: Open, piece: Piece): Promise<string | null> => {
  try {
    const current = await disk.read(piece.atBytes, piece.bytes);
    return sha256(current) === piece.before ? null : 'the disk does not hold what was written';
  } catch (error) {
    return messageOf(error);
  }
};

const forceOne = async (
  host: Host,
  open: Open,
  onPiece: () => void,
): Promise<readonly NotPutBack[]> => {
  const left: NotPutBack[] = [];
  const written: Piece[] = [];
  for (const piece of open.pieces) {
    const reason = await writeOne(open, piece);
    if (reason === null) written.push(piece);
    else left.push(leftOf(open.merge, piece, reason));
    onPiece();
  }
  // A write that failed after all is seen when the disk is read again.
  await open.disk.sync().catch(() => {});
  await forgetCached(host, open.merge.path).catch(() => {});
  for (const piece of written) {
    const reason = await lookAgain(open, piece);
    if (reason !== null) left.push(leftOf(open.merge, piece, reason));
  }
  return left;
};

const anotherDisk = (name: string): RescueError =>
  refusal(
    'DISK_CHANGED',
    `${name} holds neither what it had nor what the layer has in most of the places: it is another disk, or was overwritten.`,
    'Nothing was written. Look at the disks that are attached: rescuekit list',
  );

/**
 * A disk that a commit was written to whole may have been in use since: pieces of an earlier state
 * would be the end of what is on it now. One that is half written may hold something else in some
 * places, but another disk holds it nearly everywhere.
 */
const requireOurs = async ({ merge, disk, pieces }: Open, begun: boolean): Promise<void> => {
  let [ours, foreign] = [0, 0];
  for (const piece of pieces) {
    const current = await disk.read(piece.atBytes, piece.bytes).catch(() => null);
    if (current === null) continue;
    if ([piece.before, piece.after].includes(sha256(current))) ours += 1;
    else foreign += 1;
  }
  if (begun && foreign > ours) throw anotherDisk(merge.name);
  if (!begun && foreign > 0) throw changedSince(merge.name, { direction: 'undo', begun });
};

/**
 * Puts back what the disks held before a commit, piece by piece, as far as that is possible: also
 * past what cannot be read or written, and on a disk that is half written over what somebody has
 * written since.
 *
 * @param begun the disks are half written.
 * @param onStart called before the first byte is written.
 * @param onProgress the share that is done, from 0 to 1.
 * @returns what could not be put back.
 * @throws RescueError `BUSY`, `DISK_CHANGED` (4)
 */
export const forceBack = async (
  host: Host,
  merges: readonly Merge[],
  begun: boolean,
  onStart: () => Promise<void>,
  onProgress: (share: number) => void,
): Promise<readonly NotPutBack[]> => {
  const opened: RawFile[] = [];
  try {
    const all: (Open | NotPutBack)[] = [];
    for (const merge of merges) all.push(await openOr(host, merge, opened));
    for (const one of all) if ('pieces' in one) await requireOurs(one, begun);
    await onStart();
    const total = all.reduce((sum, one) => sum + ('pieces' in one ? one.pieces.length : 0), 0);
    let done = 0;
    const left: NotPutBack[] = [];
    for (const one of all) {
      if (!('pieces' in one)) left.push(one);
      else left.push(...(await forceOne(host, one, () => onProgress(++done / total))));
    }
    return left;
  } finally {
    for (const file of opened) await file.close();
  }
};
