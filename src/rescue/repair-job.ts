import { openChangeLog } from '../changes/change-log.ts';
import type { Subject } from '../diagnosis/subject.ts';
import type { CheckResult, LastResorts } from '../filesystems/file-system.ts';
import { RescueError } from '../host/rescue-error.ts';
import type { RepairWishes } from '../repairs/repair.ts';
import type { Workplace } from './apply-repairs.ts';
import { openBench } from './bench.ts';
import { checkAndMend, checkTargetsOf, requireMountable } from './check-system.ts';
import { systemTitle } from './choose-system.ts';
import { diagnoseSubject } from './diagnose-job.ts';
import { examine } from './examine.ts';
import { withMountHooks } from './hook-phases.ts';
import { mountMore } from './mount-more.ts';
import {
  type MountedSystem,
  memoryLayers,
  mountDirectory,
  mountSystem,
  type SystemMode,
} from './mount-system.ts';
import { nameVolumes } from './name-volumes.ts';
import type { Observer } from './observer.ts';
import {
  beforeOthers,
  damagedId,
  type FileSystemRepairs,
  fileSystemRepairId,
  fileSystemRepairs,
  onLayer,
} from './repair-file-systems.ts';
import { type Rounds, type RoundsOptions, runRounds } from './repair-rounds.ts';
import { type FindOptions, type FoundTarget, findSystem } from './rescue-job.ts';
import type { Session } from './session.ts';
import type { FoundSystem } from './survey.ts';
import { recordTarget } from './written-target.ts';

export type RepairJobOptions = FindOptions &
  RoundsOptions & {
    /** `write`: on the disk, or a layer that stands in for it. `ephemeral`: on layers of files. */
    readonly mode: Extract<SystemMode, 'write' | 'ephemeral'>;
    /** Where the layers of an `ephemeral` mount are kept; in memory when left out. */
    readonly layers?: string;
    /** The changes are to be taken back one by one by `undo`; false for what is thrown away. */
    readonly keepLog: boolean;
    readonly skipCheck: boolean;
    readonly lastResorts: LastResorts;
    readonly wishes: RepairWishes;
  };

export type RepairJobResult = Rounds & {
  readonly system: FoundSystem;
  readonly mounted: MountedSystem;
  readonly checks: readonly CheckResult[];
};

const mendsHow = ({ only, mode, layers }: RepairJobOptions) => {
  if (only !== null && !only.includes(fileSystemRepairId) && !only.includes(damagedId)) {
    return 'unwanted';
  }
  if (mode === 'write') return 'done';
  return layers === undefined ? 'planned' : 'impossible';
};

const checkFirst = async (
  session: Session,
  options: RepairJobOptions,
  system: FoundSystem,
  observer: Observer,
): Promise<FileSystemRepairs> => {
  if (options.skipCheck) return fileSystemRepairs([], 'unwanted');
  const how = mendsHow(options);
  const settings = { repair: how === 'done', lastResorts: options.lastResorts };
  const all = await checkAndMend(session, checkTargetsOf(system), settings, observer);
  const repairs = fileSystemRepairs(all, how);
  const mended = repairs.applied.map(({ title }) => title);
  const more =
    mended.length === 0
      ? ''
      : ` Done already: ${mended.join(', ')}; taken back by: rescuekit undo ${session.id}`;
  if (options.mode === 'write') requireMountable(repairs.checks, options.target, more);
  return repairs;
};

const mount = (
  session: Session,
  target: { readonly kind: string; readonly path: string },
  system: FoundSystem,
  { mode, layers }: RepairJobOptions,
): Promise<MountedSystem> =>
  target.kind === 'directory'
    ? mountDirectory(session, target, mode, layers)
    : mountSystem(session, system, {
        ...{ mode, setuid: true, apart: false },
        ...(layers === undefined ? {} : { layers }),
      });

/** How the repairs of a mounted system are done. */
export type MountedRepairOptions = Pick<
  RepairJobOptions,
  'mode' | 'layers' | 'keepLog' | 'only' | 'wishes' | 'own' | 'skipCheck'
>;

/** What the rounds came to, with what was mounted and checked in their course. */
export type MountedRepairs = Omit<RepairJobResult, 'system'>;

/**
 * Diagnoses a mounted system, applies the repairs that fit in the order of their stages, and
 * diagnoses again, until nothing more can be mended. Every change has a backup in the session's
 * directory first.
 */
export const repairMounted = async (
  session: Session,
  place: Pick<RepairJobResult, 'system' | 'mounted' | 'checks'> &
    Pick<FoundTarget, 'target' | 'attached'>,
  options: MountedRepairOptions,
  observer: Observer,
): Promise<MountedRepairs> => {
  if (options.keepLog) await recordTarget(session, place);
  const logDirectory = options.keepLog ? session.directory : session.runDirectory;
  const log = await openChangeLog(session.host, logDirectory);
  const bench = openBench(session);
  const { system } = place;
  let { mounted, checks } = place;
  let current: Subject | null = null;
  const look = async (): Promise<Subject> => {
    current = await examine(session, { system, mounted });
    return current;
  };
  const how = { mode: options.mode, setuid: true, skipCheck: options.skipCheck };
  const grow = async ({ facts }: Subject): Promise<boolean> => {
    // An overlay is committed to what the disk's own fstab mounts, which is the old one until then.
    if (options.layers !== undefined) return false;
    const more = await mountMore(session, { system, mounted }, facts, how, observer).catch(
      (error: unknown) => {
        // What was mended stands: the rest waits for the next run.
        if (session.signal.aborted || !(error instanceof RescueError)) throw error;
        observer.warn(`What fstab names now could not be mounted: ${error.message}`);
        return null;
      },
    );
    if (more === null) return false;
    ({ mounted } = more);
    checks = [...checks, ...more.checks];
    return true;
  };
  const tools = {
    wishes: options.wishes,
    bench: async (...[commands, prepare]: Parameters<Workplace['tools']['bench']>) =>
      bench(current ?? (await look()), commands, prepare),
  };
  const writesDisks = options.mode === 'write';
  const filesOnly = options.layers !== undefined;
  const work = { log, logDirectory, tools, writesDisks, filesOnly };
  const diagnose = (subject: Subject) => diagnoseSubject(subject, checks, options.own, observer);
  const rounds = await runRounds(work, { look, grow, diagnose }, options, observer);
  return { ...rounds, mounted, checks };
};

type Work = Pick<RepairJobResult, 'system' | 'checks'> & Pick<FoundTarget, 'target' | 'attached'>;

const mountAndRepair = async (
  session: Session,
  work: Work,
  options: RepairJobOptions,
  observer: Observer,
): Promise<MountedRepairs> => {
  const { system, target } = work;
  const mounted = await withMountHooks(session, system, options.mode, () =>
    observer.task(`Mount ${systemTitle(system)}`, () => mount(session, target, system, options)),
  );
  return repairMounted(session, { ...work, mounted }, options, observer);
};

/**
 * Tries on a throwaway layer whether anything is left to be repaired, because a mended ext file
 * system can be taken back only as long as it was not mounted for writing (e2undo(8)).
 *
 * @returns null when there is something to be done on the disk.
 */
const lookFirst = async (
  session: Session,
  work: Work,
  options: RepairJobOptions,
  observer: Observer,
): Promise<MountedRepairs | null> => {
  const mark = session.mark();
  const throwaway = { ...options, mode: 'ephemeral', keepLog: false } as const;
  const look = await mountAndRepair(session, work, throwaway, observer).catch((error: unknown) => {
    // Layers may be more than this host can do; the disk is mounted then.
    if (session.signal.aborted || !(error instanceof RescueError)) throw error;
    return null;
  });
  await session.takeDownSince(mark);
  await session.host.files.removeTree(memoryLayers(session.runDirectory));
  // What was refused here may have lacked room only.
  return look?.applied.length === 0 && look.refused.length === 0 ? look : null;
};

/**
 * Finds and mounts a system and mends what keeps it from booting.
 *
 * @throws RescueError when no system is found or its file systems cannot be mounted (1).
 */
export const repairTarget = async (
  session: Session,
  options: RepairJobOptions,
  observer: Observer,
): Promise<RepairJobResult> => {
  const { mode } = options;
  const found = await findSystem(session, options, observer);
  const system = await nameVolumes(session, found.system, observer.note);
  if (mode === 'write' && options.keepLog) await recordTarget(session, found);
  const first = await checkFirst(session, options, system, observer);
  const work = { ...found, system, checks: first.checks };
  // Where other repairs follow, they write to what was mended.
  const alone = first.applied.length > 0 && mode === 'write' && options.keepLog;
  const looked = alone ? await lookFirst(session, work, options, observer) : null;
  const rounds = looked ?? (await mountAndRepair(session, work, options, observer));
  const isLayer = mode === 'write' && !options.keepLog;
  const isFollowed = (mode === 'write' && looked === null) || rounds.applied.length > 0;
  const alike = isFollowed ? beforeOthers(first.applied) : first.applied;
  // A rehearsal's commit is taken back by its blocks.
  const mended = isLayer ? onLayer(first.applied) : alike;
  return {
    ...{ system, ...rounds },
    before: [...first.found, ...rounds.before],
    applied: [...mended, ...rounds.applied],
    refused: [...first.refused, ...rounds.refused],
  };
};
