import { applyEntryChange } from '../changes/apply-change.ts';
import type { Change } from '../changes/change.ts';
import { type ChangeLog, changeLogFile } from '../changes/change-log.ts';
import { parseChangeLog } from '../changes/change-record.ts';
import { type ChangeView, viewChange } from '../changes/describe-change.ts';
import { applyBytesChange } from '../changes/disk-bytes.ts';
import { undoChanges } from '../changes/undo-changes.ts';
import { inBytes } from '../changes/written-bytes.ts';
import type { Finding } from '../diagnosis/finding.ts';
import { writableDisks } from '../diagnosis/own-disks.ts';
import type { Subject } from '../diagnosis/subject.ts';
import { namedBytes } from '../host/lossless-text.ts';
import { isInterruption, messageOf, RescueError } from '../host/rescue-error.ts';
import type { Repair, RepairPlan, RepairTools } from '../repairs/repair.ts';
import { flushSystem } from './flush-system.ts';
import { fittingForPaths } from './plan-proof.ts';

/** Where the changes of a job go and what becomes of them. */
export type Workplace = {
  readonly subject: Subject;
  readonly log: ChangeLog;
  /** Directory of the log's file. */
  readonly logDirectory: string;
  readonly tools: RepairTools;
  /** False: what is outside of file systems is only shown, because nothing of it can be layered. */
  readonly writesDisks: boolean;
  /** True: files are committed later, and nothing outside of them: it is not done at all then. */
  readonly filesOnly: boolean;
};

export type AppliedRepair = {
  readonly id: string;
  readonly title: string;
  readonly changes: readonly ChangeView[];
  /** What was run to make the changes. */
  readonly commands: readonly (readonly string[])[];
  /** `layer`: programs of the system, on a copy. `disk`: the file system's own tools, on it. */
  readonly commandsOn: 'layer' | 'disk';
  /** Why `undo` cannot take it back; null when it can. */
  readonly irreversible: string | null;
  readonly proof: Exclude<Repair['proof'], 'by-paths'>;
};

export type RefusedRepair = { readonly id: string; readonly reason: string; readonly hint: string };

export type RepairOutcome =
  | { readonly kind: 'applied'; readonly applied: AppliedRepair }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'refused'; readonly refused: RefusedRepair };

const disksOf = ({ mounts, devices }: Subject) => writableDisks(mounts, devices);

const applyOne = async (place: Workplace, change: Change): Promise<ChangeView | null> => {
  const { subject, log, writesDisks } = place;
  const { host, root } = subject;
  const view = await viewChange(host, root, change);
  if (change.kind !== 'write-bytes') {
    return (await applyEntryChange(host, root, log, change)) === null ? null : view;
  }
  if (!writesDisks) return view;
  const done = await applyBytesChange(host, disksOf(subject), log, change);
  return done === null ? null : view;
};

/** A repair is done whole or not at all: what it had changed is put back. */
const rollBack = async (place: Workplace, from: number): Promise<void> => {
  const { host, root } = place.subject;
  const all = parseChangeLog((await host.files.readText(changeLogFile(place.logDirectory))) ?? '');
  const mine = all.filter(({ intent }) => intent.number >= from);
  const mounted = place.subject.mounts.filter(({ state }) => state === 'mount');
  const flush = () => flushSystem(host, { root, mounted });
  const target = { host, root, disks: disksOf(place.subject), flush };
  const { left } = await undoChanges(target, place.log, mine, true);
  const [first] = left;
  if (first === undefined) return;
  throw new RescueError({
    code: 'CHANGE_FAILED',
    message: `A repair failed half-way and ${first.what} could not be put back: ${first.reason}`,
    hint: 'The backups are kept in the session: rescuekit undo.',
  });
};

const pathsOf = (plan: RepairPlan): readonly string[] =>
  plan.kind === 'refused'
    ? []
    : plan.changes.flatMap((change) => ('path' in change ? [change.path] : []));

/**
 * Plans one repair on the system as it is now and makes its changes.
 *
 * @throws RescueError `INTERRUPTED`, or `CHANGE_FAILED` when a failed repair could not be put back.
 *   A repair that fails and is put back is `refused`.
 */
export const applyRepair = async (
  place: Workplace,
  repair: Repair,
  findings: readonly Finding[],
): Promise<RepairOutcome> => {
  const refuse = (reason: string, hint: string): RepairOutcome => ({
    kind: 'refused',
    refused: { id: repair.id, reason: namedBytes(reason), hint },
  });
  const from = place.log.next();
  try {
    const plan = await repair.plan(place.subject, findings, place.tools);
    if (plan.kind === 'refused') return refuse(plan.reason, plan.hint);
    if (place.filesOnly && plan.changes.some(({ kind }) => kind === 'write-bytes')) {
      return refuse(
        'It writes to the disk outside of its file systems, and this rehearsal has layers over file systems only: that could not be committed.',
        'Repair it without --rehearse, or rehearse on a host that has device-mapper and dmsetup.',
      );
    }
    const changes: ChangeView[] = [];
    for (const change of plan.changes.map(inBytes)) {
      const view = await applyOne(place, change);
      if (view !== null) changes.push(view);
    }
    if (changes.length === 0) return { kind: 'nothing' };
    const { id, title } = repair;
    const proof = repair.proof === 'by-paths' ? fittingForPaths(pathsOf(plan)) : repair.proof;
    const how = { commands: plan.commands, commandsOn: 'layer', irreversible: null } as const;
    return { kind: 'applied', applied: { id, title, changes, ...how, proof } };
  } catch (error) {
    if (isInterruption(error)) throw error;
    await rollBack(place, from);
    return refuse(messageOf(error), error instanceof RescueError ? error.hint : '');
  }
};
