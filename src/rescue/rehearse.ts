import { createHost } from '../host/host.ts';
import { RescueError } from '../host/rescue-error.ts';
import { type RehearsalRecord, rehearsalDirectory, writeRehearsal } from '../rehearsal/record.ts';
import type { RehearsalReport } from '../rehearsal/report.ts';
import type { Proof } from '../verification/proof.ts';
import { systemTitle } from './choose-system.ts';
import { commitOverlay } from './commit-overlay.ts';
import { dropLayer } from './drop-layer.ts';
import { watchLayers } from './layer-watch.ts';
import { mergeRehearsal } from './merge-rehearsal.ts';
import type { MountedSystem } from './mount-system.ts';
import type { Observer } from './observer.ts';
import { compareFiles, filesAfter, type Stage } from './rehearsal-files.ts';
import { lookFirst, type RehearseRequest } from './rehearsal-look.ts';
import { chooseMeans } from './rehearsal-means.ts';
import { type Laid, layDown, type RehearsalPlace, takeUp } from './rehearsal-place.ts';
import { sealLayers, sealUnfinished } from './seal-layers.ts';
import type { Session, SessionOptions } from './session.ts';
import type { FoundSystem } from './survey.ts';
import { throwawayView } from './throwaway-view.ts';
import { type SessionOutcome, withSession } from './with-session.ts';

/** What the work came to. Its mounts are still there. */
export type RehearsedWork<T> = {
  readonly value: T;
  readonly system: FoundSystem;
  readonly mounted: MountedSystem;
  /** It did what it should: only then may the layer be committed without a question. */
  readonly succeeded: boolean;
};

/** The layers as disks of the machine to be watched, in the order in which they were named. */
export type ProvableDisks = {
  readonly disks: readonly { readonly path: string; readonly serial: string | null }[];
  readonly place: RehearsalPlace;
  readonly system: FoundSystem;
};

export type RehearsalChoice = 'commit' | 'keep' | 'drop';

export type RehearsalOptions<T> = {
  readonly request: RehearseRequest;
  readonly observer: Observer;
  /** Any job: it finds its target at the place, and leaves it mounted. */
  readonly work: (session: Session, place: RehearsalPlace) => Promise<RehearsedWork<T>>;
  /** Watches the system boot from the layer, of which it gets a view that is thrown away. */
  readonly proveMounted?: (
    session: Session,
    work: Pick<RehearsedWork<T>, 'system' | 'mounted'>,
  ) => Promise<Proof | null>;
  /** Watches the disks boot from their layers, of which nothing is open. Must not write to them. */
  readonly proveDisks?: (session: Session, layers: ProvableDisks) => Promise<Proof | null>;
  /** What becomes of the layer. */
  readonly decide: (report: RehearsalReport, record: RehearsalRecord) => Promise<RehearsalChoice>;
};

export type Rehearsed<T> = {
  readonly value: T;
  readonly record: RehearsalRecord;
};

type Watched = { readonly proof: Proof | null; readonly failed: boolean };

/** A boot that cannot be watched is no reason to lose what was tried, and none to commit it. */
const proofOr = async (
  { session, observer }: Stage,
  prove: () => Promise<Proof | null>,
): Promise<Watched> => {
  try {
    return { proof: await prove(), failed: false };
  } catch (error) {
    if (session.signal.aborted || !(error instanceof RescueError)) throw error;
    observer.warn(`The boot of the layer could not be watched: ${error.message}`);
    return { proof: null, failed: true };
  }
};

const works = async <T>(
  stage: Stage,
  laid: Laid,
  { request, work, proveMounted, proveDisks, observer }: RehearsalOptions<T>,
  onWorked: () => void,
): Promise<{ readonly value: T; readonly report: RehearsalReport }> => {
  const { session } = stage;
  const mark = session.mark();
  const done = await work(session, laid.place);
  onWorked();
  const changed = await observer.task('See what has changed', () =>
    filesAfter(stage, done.mounted),
  );
  const { system, mounted } = done;
  const early = await proofOr(stage, async () =>
    proveMounted === undefined
      ? null
      : proveMounted(session, { system, mounted: await throwawayView(session, mounted) }),
  );
  await session.takeDownSince(mark);
  const disks = laid.nodes.map((path, index) => ({
    path,
    serial: laid.origins[index]?.serial ?? null,
  }));
  const { place } = laid;
  const late =
    disks.length === 0
      ? { proof: null, failed: false }
      : await proofOr(
          stage,
          async () => (await proveDisks?.(session, { disks, place, system })) ?? null,
        );
  await takeUp(stage, laid, system);
  // All that is needed of an overlay has been copied out of it.
  await session.host.files.removeTree(`${stage.directory}/layers`);
  const proof = late.proof ?? early.proof;
  const report = await observer.task('Compare with the disks as they are', async () => ({
    disks: await sealLayers(session.host.files, stage.directory, laid.origins),
    ...(await compareFiles(stage, request, changed)),
    proof,
    succeeded: done.succeeded && proof?.boots !== false && !early.failed && !late.failed,
  }));
  return { value: done.value, report };
};

const begin = async (
  session: Session,
  { request, observer }: RehearsalOptions<unknown>,
): Promise<Stage> => {
  const look = await lookFirst(session, request, observer);
  const { means, words } = await chooseMeans(session.host, look.devices);
  observer.note(`Rehearsal: ${words}`);
  const directory = rehearsalDirectory(session.directory);
  await session.host.files.ensureDirectory(directory, 0o700);
  const record: RehearsalRecord = {
    version: 1,
    means,
    phase: 'up',
    target: request.target,
    withDisks: request.withDisks,
    system: look.found.oneOfSeveral,
    title: systemTitle(look.found.system),
    disks: means === 'snapshot' ? look.disks : [],
    report: null,
  };
  await writeRehearsal(session.host.files, directory, record);
  return { session, directory, look, record, observer };
};

const decideAndDo = async <T>(
  stage: Stage,
  report: RehearsalReport,
  { decide, observer, request }: RehearsalOptions<T>,
): Promise<RehearsalRecord> => {
  const { session, directory } = stage;
  const kept: RehearsalRecord = { ...stage.record, phase: 'kept', report };
  await writeRehearsal(session.host.files, directory, kept);
  switch (await decide(report, kept)) {
    case 'keep':
      return kept;
    case 'drop':
      return dropLayer(session.host, directory, kept);
    case 'commit':
      return kept.means === 'overlay'
        ? commitOverlay(session, kept, request.answers, observer)
        : mergeRehearsal(session, kept, 'commit', observer);
  }
};

const run = async <T>(
  session: Session,
  options: RehearsalOptions<T>,
  full: AbortController,
): Promise<Rehearsed<T>> => {
  const stage = await begin(session, options);
  const { disks } = stage.record;
  const layersSince = session.mark();
  const laid = await layDown(stage, options.request);
  const watched = laid.mappings.map((mapping, index) => ({
    mapping,
    origin: { name: disks[index]?.name ?? '' },
  }));
  const stop = watchLayers(createHost(), watched, (error) => full.abort(error));
  let worked = false;
  const onWorked = () => {
    worked = true;
  };
  const { value, report } = await works(stage, laid, options, onWorked)
    .finally(stop)
    .catch(async (error: unknown) => {
      await session.takeDownSince(layersSince);
      const keeps = (worked || session.signal.aborted) && !full.signal.aborted;
      await afterFailure(stage, laid, keeps);
      throw error;
    });
  return { value, record: await decideAndDo(stage, report, options) };
};

/**
 * What an interruption leaves, or a failure after the work was done, may be the work of hours: it is
 * kept, and compared at once, as long as nobody else can have written to the disks. With work that
 * failed by itself nobody can do anything.
 */
const afterFailure = async (
  { session: { host }, directory, record }: Stage,
  { origins }: Laid,
  keeps: boolean,
): Promise<void> => {
  if (!keeps) await dropLayer(host, directory, record);
  else if (record.means === 'snapshot') {
    await sealUnfinished(host.files, directory, record, origins);
  }
};

const isLeft = (error: unknown): boolean =>
  error instanceof RescueError && error.code === 'LEFT_BEHIND';

/**
 * Tries a job on a copy-on-write layer: looks at the target, lays a layer over every disk of the
 * system (or over every file system, where the host has no device-mapper), runs the job on it, tells
 * what changed, and does with the layer what `decide` says.
 *
 * @throws RescueError `LAYER_FULL`, `NO_SPACE` (1), what the job throws; in all these cases the disks
 *   are as they were.
 */
export const withRehearsal = async <T>(
  options: SessionOptions,
  rehearsal: RehearsalOptions<T>,
): Promise<SessionOutcome<Rehearsed<T>>> => {
  const full = new AbortController();
  const signal = AbortSignal.any([options.signal, full.signal]);
  try {
    return await withSession({ ...options, signal }, async (session) => {
      const result = await run(session, rehearsal, full);
      return { result, keepUp: false };
    });
  } catch (error) {
    if (!full.signal.aborted || options.signal.aborted || isLeft(error)) throw error;
    throw full.signal.reason;
  }
};
