import type { CheckResult } from '../filesystems/file-system.ts';
import { createHost } from '../host/host.ts';
import { RescueError, reasonOf } from '../host/rescue-error.ts';
import {
  type Means,
  type RehearsalRecord,
  rehearsalDirectory,
  writeRehearsal,
} from '../rehearsal/record.ts';
import type { RehearsalReport } from '../rehearsal/report.ts';
import type { Proof } from '../verification/proof.ts';
import { systemTitle } from './choose-system.ts';
import { commitOverlay } from './commit-overlay.ts';
import { dropLayer } from './drop-layer.ts';
import { watchLayers } from './layer-watch.ts';
import { mergeRehearsal } from './merge-rehearsal.ts';
import type { MountedSystem } from './mount-system.ts';
import type { Observer } from './observer.ts';
import { type LayerProofPlan, proofResult } from './plan-proof.ts';
import { compareFiles, filesAfter, type Stage } from './rehearsal-files.ts';
import { lookFirst, type RehearseRequest } from './rehearsal-look.ts';
import { chooseMeans } from './rehearsal-means.ts';
import { type Laid, layDown, type RehearsalPlace, takeUp } from './rehearsal-place.ts';
import { sealLayers, sealUnfinished } from './seal-layers.ts';
import type { Session, SessionOptions } from './session.ts';
import type { FoundSystem } from './survey.ts';
import { absoluteName } from './target.ts';
import { throwawayView } from './throwaway-view.ts';
import { type SessionOutcome, withSession } from './with-session.ts';

/** What the work came to. Its mounts are still there. */
export type RehearsedWork<T> = {
  readonly value: T;
  readonly system: FoundSystem;
  readonly mounted: MountedSystem;
  readonly checks: readonly CheckResult[];
  /** It did what it should: only then may the layer be committed without a question. */
  readonly succeeded: boolean;
};

/** The layers as disks of the machine to be watched, in the order in which they were named. */
export type ProvableDisks = {
  readonly disks: readonly { readonly path: string; readonly serial: string | null }[];
  readonly place: RehearsalPlace;
  readonly system: FoundSystem;
};

/** How it is seen whether the layer boots. */
export type LayerProofs = {
  readonly plan: (layer: {
    /** Paths of what is different; null when that is not known. */
    readonly changed: readonly string[] | null;
    /** Whether the boot goes past a file system's check shows only where it is checked. */
    readonly mended: boolean;
    /** Layers over file systems are no disks that a machine could boot from. */
    readonly means: Means;
  }) => Promise<LayerProofPlan>;
  /** Watches the system boot from the layer, of which it gets a view that is thrown away. */
  readonly inContainer: (
    session: Session,
    work: Pick<RehearsedWork<unknown>, 'system' | 'mounted'>,
  ) => Promise<Proof>;
  /** Watches the disks boot from their layers, of which nothing is open. Must not write to them. */
  readonly inVm: (session: Session, layers: ProvableDisks) => Promise<Proof>;
};

export type RehearsalChoice = 'commit' | 'keep' | 'drop';

export type RehearsalOptions<T> = {
  readonly request: RehearseRequest;
  readonly observer: Observer;
  /** Any job: it finds its target at the place, and leaves it mounted. */
  readonly work: (session: Session, place: RehearsalPlace) => Promise<RehearsedWork<T>>;
  readonly proofs: LayerProofs;
  /** What becomes of the layer. */
  readonly decide: (report: RehearsalReport, record: RehearsalRecord) => Promise<RehearsalChoice>;
};

export type Rehearsed<T> = {
  readonly value: T;
  readonly record: RehearsalRecord;
};

/** A boot that cannot be watched is no reason to lose what was tried, and none to commit it. */
const watched = async (
  { session, observer }: Stage,
  plan: LayerProofPlan,
  prove: () => Promise<Proof>,
): Promise<LayerProof> => {
  try {
    const proof = await prove();
    return { ...plan, proof, isMissing: plan.isMissing || proof.notJudged !== null };
  } catch (error) {
    if (session.signal.aborted || !(error instanceof RescueError)) throw error;
    observer.warn(`The boot of the layer could not be watched: ${error.message}`);
    return { proof: null, notProven: reasonOf(error), isMissing: true };
  }
};

type LayerProof = Pick<LayerProofPlan, 'notProven' | 'isMissing'> & {
  readonly proof: Proof | null;
};

/** What the report says of it. */
const verdictOf = ({ proof, notProven, isMissing }: LayerProof, succeeded: boolean) => ({
  ...proofResult(proof, notProven),
  succeeded: succeeded && proof?.boots !== false && !isMissing,
});

const works = async <T>(
  stage: Stage,
  laid: Laid,
  { request, work, proofs, observer }: RehearsalOptions<T>,
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
  const plan = await proofs.plan({
    changed: changed?.paths ?? null,
    mended: done.checks.some(({ outcome }) => outcome === 'repaired'),
    means: stage.record.means,
  });
  let proof: LayerProof = { ...plan, proof: null };
  if (plan.method === 'container') {
    proof = await watched(stage, plan, async () =>
      proofs.inContainer(session, { system, mounted: await throwawayView(session, mounted) }),
    );
  }
  await session.takeDownSince(mark);
  if (plan.method === 'vm') {
    const disks = laid.nodes.map((path, index) => ({
      path,
      serial: laid.origins[index]?.serial ?? null,
    }));
    proof = await watched(stage, plan, () =>
      proofs.inVm(session, { disks, place: laid.place, system }),
    );
  }
  await takeUp(stage, laid, system);
  const report = await observer.task('Compare with the disks as they are', async () => ({
    disks: await sealLayers(session.host.files, stage.directory, laid.origins),
    ...(await compareFiles(stage, request, changed)),
    ...verdictOf(proof, done.succeeded),
  }));
  // All that is needed of an overlay has been copied out of it.
  await session.host.files.removeTree(`${stage.directory}/layers`);
  return { value: done.value, report };
};

const begin = async (
  session: Session,
  { request, observer }: RehearsalOptions<unknown>,
): Promise<Stage> => {
  const look = await lookFirst(session, request, observer);
  const { means, words } = await chooseMeans(session.host, look.devices);
  observer.note(`Rehearsal: ${words}`);
  if (means === 'overlay' && look.files === null) {
    observer.warn(
      `What is tried here can be looked at, and not committed. ${look.filesNote ?? ''}`,
    );
  }
  const directory = rehearsalDirectory(session.directory);
  await session.host.files.ensureDirectory(directory, 0o700);
  const record: RehearsalRecord = {
    version: 1,
    means,
    phase: 'up',
    target: absoluteName(request.target),
    withDisks: request.withDisks.map(absoluteName),
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
  if (stage.record.means === 'overlay' && report.files === null) {
    // No state of the files is known that a commit could start from, so nothing was copied for one.
    observer.warn(`Nothing of this rehearsal can be committed. ${report.filesNote ?? ''}`);
    const uncertain = { ...stage.record, report: { ...report, succeeded: false } };
    return dropLayer(session.host, directory, uncertain);
  }
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
  const mappings = laid.mappings.map((mapping, index) => ({
    ...{ mapping, over: disks[index]?.name ?? '' },
  }));
  const { directory, record } = stage;
  const watched = mappings.length > 0 ? mappings : [{ directory, over: record.target }];
  const stop = watchLayers(createHost(), watched, (error) => full.abort(error));
  let worked = false;
  const onWorked = () => {
    worked = true;
    // What is copied out of layers over file systems takes room, too: that is asked for before.
    if (mappings.length === 0) void stop();
  };
  const { value, report } = await works(stage, laid, options, onWorked)
    .finally(stop)
    .catch(async (error: unknown) => {
      await session.takeDownSince(layersSince);
      const isFull = full.signal.aborted || isLayerFull(error);
      const keeps = (worked || session.signal.aborted) && !isFull;
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

const isLayerFull = (error: unknown): boolean =>
  error instanceof RescueError && error.code === 'LAYER_FULL';

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
