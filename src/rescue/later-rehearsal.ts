import type { UndoReport } from '../changes/undo-changes.ts';
import { createHost } from '../host/host.ts';
import { readBootId } from '../host/processes.ts';
import { RescueError, refusal, usageError } from '../host/rescue-error.ts';
import {
  isHalfWritten,
  isOnDisks,
  isPending,
  type Phase,
  type RehearsalRecord,
  readRehearsal,
  rehearsalDirectory,
} from '../rehearsal/record.ts';
import { cleanUp, requireSession } from './cleanup.ts';
import { commitOverlay } from './commit-overlay.ts';
import { dropLayer } from './drop-layer.ts';
import type { ShowHook } from './hook-words.ts';
import { forceRehearsalBack, mergeRehearsal } from './merge-rehearsal.ts';
import type { Observer } from './observer.ts';
import { sealUnfinished } from './seal-layers.ts';
import type { Session, SessionOptions } from './session.ts';
import type { SessionRecord } from './session-record.ts';
import type { StackAnswers } from './stack-answers.ts';
import { findOrigins } from './stand-aside.ts';
import type { StatePaths } from './state-paths.ts';
import type { UndoJobOptions } from './undo-job.ts';
import { undoOverlay } from './undo-overlay.ts';
import { requireAllDown, withSession } from './with-session.ts';

export type FoundRehearsal = {
  readonly session: SessionRecord;
  readonly record: RehearsalRecord;
};

/**
 * The rehearsal of a session.
 *
 * @throws RescueError `NO_SESSION`, usage (2) for a session without a rehearsal.
 */
export const findRehearsal = async (paths: StatePaths, id: string): Promise<FoundRehearsal> => {
  const host = createHost();
  const session = await requireSession(host, paths, id);
  const record = await readRehearsal(host.files, rehearsalDirectory(session.directory));
  if (record !== null) return { session, record };
  throw usageError(
    `Session ${id} was no rehearsal.`,
    'rescuekit status shows which sessions have a layer that waits.',
  );
};

/** The rehearsals that wait for a decision or for their end, the oldest first. */
export const pendingRehearsal = async (session: SessionRecord): Promise<RehearsalRecord | null> => {
  const record = await readRehearsal(createHost().files, rehearsalDirectory(session.directory));
  return record !== null && isPending(record) ? record : null;
};

const wrongPhase = (id: string, wish: string, phase: Phase): RescueError =>
  usageError(
    `The layer of session ${id} cannot be ${wish}: it is ${phaseWords[phase]}.`,
    phase === 'committed' || isHalfWritten({ phase })
      ? `Take the commit back with: rescuekit undo ${id}`
      : '',
  );

const notGathered = (id: string, { directory }: SessionRecord): RescueError =>
  usageError(
    `Session ${id} did not come to its end: the files on its layer were not gathered, and cannot be committed.`,
    `What was tried lies below ${rehearsalDirectory(directory)}/layers. Then drop it: rescuekit rehearse ${id} --drop`,
  );

/** A phase as a person reads it. */
export const phaseWords: Readonly<Record<Phase, string>> = {
  up: 'a layer of which the session did not come to its end',
  kept: 'kept, and waits for a decision',
  committing: 'half written to the disks: finish it with --commit, or take it back with undo',
  committed: 'committed',
  undoing: 'half taken back: finish it with undo',
  dropped: 'dropped',
};

export type LaterOptions = {
  readonly session: SessionOptions;
  readonly showHook: ShowHook;
  readonly observer: Observer;
};

type MergeOptions = LaterOptions & {
  /** Opens the layers of the disks again to which files are written. */
  readonly answers: StackAnswers;
};

/** What waits for the end of a merge, and is no obstacle to finishing it. */
const waiting = new Set(['finish-merge', 'udev-look-again', 'reread-tables', 'remove-directory']);

/** What a killed process has left comes down first; a merge that was cut off stays to be finished. */
const takeDownRest = async (
  { session: { paths }, showHook }: LaterOptions,
  id: string,
): Promise<void> => {
  const { left } = await cleanUp(paths, id, showHook);
  const { open } = await requireSession(createHost(), paths, id);
  const [other] = left;
  if (other === undefined || open.every(({ undo }) => waiting.has(undo.kind))) return;
  throw new RescueError({
    code: 'LEFT_BEHIND',
    message: `What session ${id} left could not be taken down: ${other.reason}.`,
    hint: `End the named processes, then run: rescuekit cleanup ${id}`,
    exit: 5,
  });
};

/**
 * After a kill the layer of a disk can be kept only while it is still up: so long the disk is
 * protected, and nobody has written to it.
 */
const requireWatched = async ({ id, state, owner }: SessionRecord): Promise<void> => {
  const boot = await readBootId(createHost().files);
  if (state === 'left' && owner.bootId === boot) return;
  throw refusal(
    'NOT_SEALED',
    `Session ${id} was killed, and nobody has watched over the disk since it was taken down.`,
    `What is on the layer may no longer fit to the disk. Drop it: rescuekit rehearse ${id} --drop`,
  );
};

const sealLater = async (session: Session, record: RehearsalRecord): Promise<RehearsalRecord> => {
  const directory = rehearsalDirectory(session.directory);
  const origins = await findOrigins(session, record.disks);
  return sealUnfinished(session.host.files, directory, record, origins);
};

const inItsSession = async <T>(
  options: LaterOptions,
  id: string,
  work: (session: Session, record: RehearsalRecord) => Promise<T>,
): Promise<T> => {
  await takeDownRest(options, id);
  const { session, record } = await findRehearsal(options.session.paths, id);
  const { command, target, withDisks, system } = session;
  const { result, teardown } = await withSession(
    { ...options.session, command, target, withDisks, system, continues: session },
    async (open) => ({ result: await work(open, record), keepUp: false }),
  );
  requireAllDown(teardown);
  return result;
};

/**
 * Writes a kept layer to its disks, or finishes a commit that was cut off.
 *
 * @throws RescueError as `mergeRehearsal`; usage (2) when there is nothing to commit; `RUNNING` (4).
 */
export const commitRehearsal = async (
  options: MergeOptions,
  id: string,
): Promise<RehearsalRecord> => {
  const { session: ended, record } = await findRehearsal(options.session.paths, id);
  const waits = record.phase === 'kept' || record.phase === 'committing';
  // Files of an overlay are gathered at the end of a session, blocks of a disk at any time.
  if (!waits && !(record.phase === 'up' && record.means === 'snapshot')) {
    throw record.phase === 'up'
      ? notGathered(id, ended)
      : wrongPhase(id, 'committed', record.phase);
  }
  if (record.phase === 'up') await requireWatched(ended);
  return inItsSession(options, id, async (session, found) => {
    if (found.means === 'overlay') {
      return commitOverlay(session, found, options.answers, options.observer);
    }
    const sealed = found.report === null ? await sealLater(session, found) : found;
    return mergeRehearsal(session, sealed, 'commit', options.observer);
  });
};

/**
 * Takes a commit back: the disks get what they had in the places that it wrote, the files what was
 * backed up of them. The layer is kept and can be committed again.
 *
 * @param undo how files are found and put back; of blocks only `force` counts.
 * @throws RescueError as `mergeRehearsal`: `DISK_CHANGED` (4) where the disk was written since; with
 *   force what cannot be put back is told in place of it.
 */
export const undoRehearsal = async (
  options: LaterOptions,
  id: string,
  undo: Omit<UndoJobOptions, 'onStart'>,
): Promise<UndoReport> => {
  const { record } = await findRehearsal(options.session.paths, id);
  if (!isOnDisks(record)) {
    throw wrongPhase(id, 'taken back', record.phase);
  }
  return inItsSession(options, id, async (session, found) => {
    if (found.means === 'overlay') return undoOverlay(session, found, undo, options.observer);
    const undone = found.disks.map(({ name }) => `blocks of ${name}`);
    if (!undo.force) {
      await mergeRehearsal(session, found, 'undo', options.observer);
      return { undone, left: [] };
    }
    const { left } = await forceRehearsalBack(session, found, options.observer);
    const lost = new Set(left.map(({ what }) => `blocks of ${what}`));
    return { undone: undone.filter((what) => !lost.has(what)), left };
  });
};

/**
 * Removes a layer. The disks are not touched.
 *
 * @param sure also where what was on the disks before lies only in the layer.
 * @throws RescueError usage (2), `RUNNING` (4)
 */
export const dropRehearsal = async (
  options: LaterOptions,
  id: string,
  sure: boolean,
): Promise<RehearsalRecord> => {
  const { session, record } = await findRehearsal(options.session.paths, id);
  if (record.phase !== 'kept' && record.phase !== 'up') {
    throw wrongPhase(id, 'dropped', record.phase);
  }
  if (isOnDisks(record) && !sure) {
    throw usageError(
      `Parts of session ${id}'s layer are still on the disks, and what was there before lies only with it.`,
      `Put it back when the disk can be written again: rescuekit undo ${id} --force. Where it never can: rescuekit rehearse ${id} --drop --yes`,
    );
  }
  await takeDownRest(options, id);
  return dropLayer(createHost(), rehearsalDirectory(session.directory), record);
};
