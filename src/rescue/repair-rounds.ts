import type { Finding } from '../diagnosis/finding.ts';
import type { Diagnosis } from '../diagnosis/run-checks.ts';
import type { Subject } from '../diagnosis/subject.ts';
import type { OwnRepairs } from '../repairs/own/own-repair.ts';
import { allRepairs, inOrder } from '../repairs/registry.ts';
import type { Repair } from '../repairs/repair.ts';
import {
  type AppliedRepair,
  applyRepair,
  type RefusedRepair,
  type Workplace,
} from './apply-repairs.ts';
import type { Observer } from './observer.ts';
import { relabelIfNeeded } from './relabel.ts';

export type RoundsOptions = {
  /** Ids of repairs, or of findings whose repairs are meant; null for all. */
  readonly only: readonly string[] | null;
  readonly own: OwnRepairs;
};

/** A mended fault may have hidden another one behind it. */
const maxRounds = 3;

const isChosen = (repair: Repair, only: readonly string[] | null): boolean =>
  only === null ? repair.onlyWhenNamed !== true : only.includes(repair.id);

/** Repairs by their own id, or by that of a finding that leads to them. */
const chosenIds = (
  only: readonly string[] | null,
  findings: readonly Finding[],
): readonly string[] | null =>
  only === null
    ? null
    : [
        ...only,
        ...findings.flatMap(({ id, repair }) => (only.includes(id) && repair ? [repair] : [])),
      ];

export type Rounds = {
  /** As it was found. */
  readonly before: readonly Finding[];
  readonly applied: readonly AppliedRepair[];
  readonly refused: readonly RefusedRepair[];
  /** What is still so afterwards, looked at again. */
  readonly after: Diagnosis;
};

/** How a system is looked at between the repairs. */
export type Looks = {
  readonly look: () => Promise<Subject>;
  /** Mounts what a mended fstab names by now; true when there was something. */
  readonly grow: (subject: Subject) => Promise<boolean>;
  readonly diagnose: (subject: Subject) => Promise<Diagnosis>;
};

/**
 * Diagnoses, applies the repairs that fit in the order of their stages, and diagnoses again, until
 * nothing more can be mended.
 */
export const runRounds = async (
  place: Omit<Workplace, 'subject'>,
  { look, grow, diagnose }: Looks,
  { only: wanted, own }: RoundsOptions,
  observer: Observer,
): Promise<Rounds> => {
  const repairs = inOrder([...allRepairs, ...own.repairs]);
  let subject = await look();
  const first = await diagnose(subject);
  let diagnosis = first;
  const applied: AppliedRepair[] = [];
  const refused = new Map<string, RefusedRepair>();
  const named = new Set<string>();
  for (let round = 0; round < maxRounds; round += 1) {
    const only = chosenIds(wanted, diagnosis.findings);
    let changed = false;
    for (const repair of repairs) {
      if (!isChosen(repair, only) || refused.has(repair.id)) continue;
      // What is only worth knowing is mended when the person names it.
      const findings = diagnosis.findings.filter(
        ({ repair: id, severity }) =>
          id === repair.id && (severity !== 'info' || only?.includes(repair.id) === true),
      );
      const byName = wanted?.includes(repair.id) === true && !named.has(repair.id);
      if (findings.length === 0 && !(byName && repair.onlyWhenNamed === true)) continue;
      named.add(repair.id);
      const outcome = await observer.task(
        repair.title,
        () => applyRepair({ ...place, subject }, repair, findings),
        ({ kind }) => (kind === 'refused' ? `Not done: ${repair.title}` : repair.title),
      );
      if (outcome.kind === 'refused') refused.set(repair.id, outcome.refused);
      if (outcome.kind !== 'applied') continue;
      applied.push(outcome.applied);
      changed = true;
      subject = await look();
    }
    if (!changed) break;
    const relabel = await relabelIfNeeded({ ...place, subject });
    if (relabel !== null) {
      applied.push(relabel);
      subject = await look();
    }
    if (await grow(subject)) {
      // What could not be done may have lacked just that.
      if (round + 1 < maxRounds) refused.clear();
      subject = await look();
    }
    diagnosis = await diagnose(subject);
  }
  return { before: first.findings, applied, refused: [...refused.values()], after: diagnosis };
};
