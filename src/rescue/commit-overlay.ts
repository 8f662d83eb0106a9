import { applyEntryChange } from '../changes/apply-change.ts';
import { openChangeLog } from '../changes/change-log.ts';
import { placeOf } from '../changes/place.ts';
import { alreadySo } from '../changes/same-state.ts';
import { createHost, type Host } from '../host/host.ts';
import { plainText } from '../host/plain-text.ts';
import { refusal } from '../host/rescue-error.ts';
import { listFiles } from '../rehearsal/file-list.ts';
import { type RehearsalRecord, rehearsalDirectory, writeRehearsal } from '../rehearsal/record.ts';
import {
  changedSince,
  readStaged,
  type StagedEntry,
  stagedChanges,
} from '../rehearsal/staged-entries.ts';
import {
  checkFileSystems,
  checkTargetsOf,
  noLastResorts,
  requireMountable,
} from './check-system.ts';
import { flushSystem } from './flush-system.ts';
import { withMountHooks } from './hook-phases.ts';
import { intendMerge } from './intend-merge.ts';
import { type MountedSystem, mountDirectory, mountSystem } from './mount-system.ts';
import { nameVolumes } from './name-volumes.ts';
import type { Observer } from './observer.ts';
import { listScratch } from './rehearsal-look.ts';
import { type FoundTarget, findSystem } from './rescue-job.ts';
import type { Session } from './session.ts';
import type { StackAnswers } from './stack-answers.ts';
import { recordTarget } from './written-target.ts';

const mountForWriting = async (
  session: Session,
  record: RehearsalRecord,
  answers: StackAnswers,
  observer: Observer,
): Promise<{ readonly found: FoundTarget; readonly mounted: MountedSystem }> => {
  const { target: name, withDisks, system: wanted } = record;
  const request = { target: name, withDisks, system: wanted, answers, mode: 'write' as const };
  const found = await findSystem(session, request, observer);
  const { target } = found;
  const system = await nameVolumes(session, found.system, observer.note);
  const settings = { repair: false, lastResorts: noLastResorts };
  const checks = await checkFileSystems(session, checkTargetsOf(system), settings, observer);
  requireMountable(checks, name);
  const mounted = await withMountHooks(session, system, 'write', () =>
    target.kind === 'directory'
      ? mountDirectory(session, target, 'write')
      : mountSystem(session, system, { mode: 'write', setuid: false, apart: false }),
  );
  return { found, mounted };
};

/** Whether a commit that was cut off has written an entry already. */
const isWritten = async (
  host: Host,
  root: string,
  entry: StagedEntry,
  directory: string,
): Promise<boolean> => {
  for (const change of stagedChanges([entry], directory)) {
    const place = await placeOf(host, root, change.path).catch(() => null);
    // With its directory it is gone, too.
    const hostPath = place?.hostPath ?? '';
    const now = place === null ? null : await host.files.entryState(hostPath);
    if (!(await alreadySo(host, change, now, hostPath, ''))) return false;
  }
  return true;
};

/**
 * Each entry has to be as it was, or, where a commit was begun, as the layer has it: somebody may
 * have worked on the disk between a cut-off commit and its end.
 */
const requireUnchanged = async (
  session: Session,
  root: string,
  entries: readonly StagedEntry[],
  begun: string | null,
): Promise<void> => {
  const now = await listFiles(session.host, root, listScratch(session));
  for (const entry of changedSince(entries, now)) {
    if (begun !== null && (await isWritten(session.host, root, entry, begun))) continue;
    throw refusal(
      'DISK_CHANGED',
      `${plainText(entry.path)} was changed on the disk since the rehearsal.`,
      begun === null
        ? 'What was tried was tried on another file. Drop the layer, and rehearse again.'
        : `Take back what was committed of it, as far as it is still so: rescuekit undo ${session.id}`,
    );
  }
};

/**
 * Brings the files of an overlay to the disk, each with a backup of what was there. A commit that was
 * cut off is finished by calling this again: what is done already is left as it is.
 *
 * @throws RescueError `DISK_CHANGED` (4), `DAMAGED`, `CHANGE_FAILED`, `LAYER_DAMAGED` (1), and what
 *   finding and mounting the system throw.
 */
export const commitOverlay = async (
  session: Session,
  record: RehearsalRecord,
  answers: StackAnswers,
  observer: Observer,
): Promise<RehearsalRecord> => {
  const directory = rehearsalDirectory(session.directory);
  // What was begun is finished: this one does not listen to an interruption.
  const host = createHost();
  const entries = await readStaged(host, directory);
  const { found, mounted } = await mountForWriting(session, record, answers, observer);
  const { root } = mounted;
  const begun = record.phase === 'committing' ? directory : null;
  await requireUnchanged(session, root, entries, begun);
  await recordTarget({ host, directory: session.directory }, found);
  const step = await intendMerge(session, 'Write the layer');
  await writeRehearsal(host.files, directory, { ...record, phase: 'committing' });
  const log = await openChangeLog(host, session.directory);
  await observer.task('Write the changed files to the disk', async (update) => {
    const changes = stagedChanges(entries, directory);
    for (const [index, change] of changes.entries()) {
      await applyEntryChange(host, root, log, change);
      update({ message: 'writing', fraction: index / changes.length });
    }
  });
  await flushSystem(host, mounted);
  const committed: RehearsalRecord = { ...record, phase: 'committed' };
  await writeRehearsal(host.files, directory, committed);
  await session.takeDown(step);
  return committed;
};
