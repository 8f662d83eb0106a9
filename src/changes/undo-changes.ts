import type { Device } from '../devices/device.ts';
import type { Host } from '../host/host.ts';
import { messageOf, RescueError } from '../host/rescue-error.ts';
import type { ChangeLog } from './change-log.ts';
import type { EntryIntent, RecordedChange } from './change-record.ts';
import { undoBytes } from './disk-bytes.ts';
import { undoEntry } from './undo-entry.ts';

export type UndoTarget = {
  readonly host: Host;
  /** Host directory of the system, mounted for writing. */
  readonly root: string;
  /** Its disks in the order in which they were attached. */
  readonly disks: readonly Device[];
  /** Waits until what was written to the system is on its disks. */
  readonly flush: () => Promise<void>;
};

export type UndoReport = {
  /** What was put back, in the order in which it was. */
  readonly undone: readonly string[];
  /** What was left as it is, with the reason. */
  readonly left: readonly { readonly what: string; readonly reason: string }[];
};

const nameOf = ({ intent }: RecordedChange): string =>
  intent.kind === 'entry' ? intent.path : intent.kind === 'bytes' ? intent.what : intent.device;

type FirstChanges = ReadonlyMap<string, EntryIntent>;

/** By path: the first change of an entry of all that are to be taken back. */
const firstChanges = (changes: readonly RecordedChange[]): FirstChanges =>
  new Map(
    changes
      .toReversed()
      .flatMap(({ intent, undone }) =>
        undone || intent.kind !== 'entry' ? [] : [[intent.path, intent] as const],
      ),
  );

const undoOne = (
  { host, root, disks }: UndoTarget,
  first: FirstChanges,
  change: RecordedChange,
  force: boolean,
): Promise<string | null> => {
  const { intent } = change;
  switch (intent.kind) {
    case 'entry':
      return undoEntry(host, root, change, {
        ...{ intent, force },
        first: first.get(intent.path) ?? intent,
      });
    case 'bytes':
      return undoBytes(host, disks, change, intent, force);
    // Played back while nothing is mounted, see `undo-job.ts`.
    case 'fsck':
      return Promise.resolve(null);
  }
};

/**
 * Takes changes back, the last one first. One that was changed since is left and named, and so is
 * everything older of the same path: it would be put back below something newer.
 *
 * They are noted as undone when all of them are on the disk: what is put back and not noted is seen to
 * be so by the next undo.
 */
export const undoChanges = async (
  target: UndoTarget,
  log: ChangeLog,
  changes: readonly RecordedChange[],
  force: boolean,
): Promise<UndoReport> => {
  const undone: string[] = [];
  const left: { what: string; reason: string }[] = [];
  const numbers: number[] = [];
  const first = firstChanges(changes);
  for (const change of changes.toReversed()) {
    const what = nameOf(change);
    if (change.undone || change.intent.kind === 'fsck') continue;
    if (left.some((one) => one.what === what)) continue;
    try {
      const back = await undoOne(target, first, change, force);
      numbers.push(change.intent.number);
      if (back !== null) undone.push(back);
    } catch (error) {
      if (!(error instanceof RescueError) || error.code === 'INTERRUPTED') throw error;
      left.push({ what, reason: messageOf(error) });
    }
  }
  if (numbers.length > 0) await target.flush();
  for (const number of numbers) await log.undone(number);
  return { undone, left };
};
