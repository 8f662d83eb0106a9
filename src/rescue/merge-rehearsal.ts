import { createHost } from '../host/host.ts';
import { layerFiles } from '../rehearsal/layer-store.ts';
import { type MergeDirection, mergeLayers } from '../rehearsal/merge-layer.ts';
import { type RehearsalRecord, rehearsalDirectory, writeRehearsal } from '../rehearsal/record.ts';
import type { Observer } from './observer.ts';
import type { Session } from './session.ts';
import { findOrigins, standAside } from './stand-aside.ts';

const phases = {
  commit: { during: 'committing', after: 'committed' },
  undo: { during: 'undoing', after: 'kept' },
} as const;

const titles = {
  commit: ['Write the layer to the disks', 'The layer is on the disks'],
  undo: ['Write back what the disks had', 'The disks are as they were before the commit'],
} as const;

/**
 * Writes the layers of a rehearsal to its disks, or takes that back; the layer is then kept again.
 * From the first byte on it is not stopped by an interruption, and what was cut off by a kill is
 * finished by calling this again.
 *
 * @throws RescueError `BUSY`, `DISK_CHANGED`, `PROTECTED`, `MOUNTED`, `LOCKED` (4), `VANISHED`,
 *   `LAYER_DAMAGED`, `NOT_WRITTEN` (1).
 */
export const mergeRehearsal = async (
  session: Session,
  record: RehearsalRecord,
  direction: MergeDirection,
  observer: Observer,
): Promise<RehearsalRecord> => {
  // What was begun is finished: this one does not listen to an interruption.
  const host = createHost();
  const directory = rehearsalDirectory(session.directory);
  const origins = await findOrigins(session, record.disks);
  await standAside(session, origins);
  const { during, after } = phases[direction];
  const step = await session.intend('Write the layer', {
    kind: 'finish-merge',
    directory,
    session: session.id,
  });
  const merges = origins.map(({ name, path, number }) => ({
    name,
    path,
    files: layerFiles(directory, number),
  }));
  const [title, done] = titles[direction];
  await observer.task(
    title,
    (update) =>
      mergeLayers(
        host,
        merges,
        direction,
        () => writeRehearsal(host.files, directory, { ...record, phase: during }),
        (fraction) => update({ message: 'writing', fraction }),
      ),
    () => done,
  );
  const merged = { ...record, phase: after };
  await writeRehearsal(host.files, directory, merged);
  await session.takeDown(step);
  return merged;
};
