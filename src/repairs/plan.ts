import type { Change } from '../changes/change.ts';
import type { InsideResult } from '../diagnosis/subject.ts';
import { lastPlainLines } from '../host/plain-text.ts';
import type { RepairPlan } from './repair.ts';

/** A plan of changes that needed no command, or some that were run on the layer. */
export const planned = (
  changes: readonly Change[],
  commands: readonly (readonly string[])[] = [],
): RepairPlan => ({ kind: 'changes', changes, commands });

/** What a program said at its end, for the reason of a refusal. */
export const lastWords = ({ stderr }: InsideResult): string =>
  lastPlainLines(stderr, 3).join('; ').slice(0, 300);

/** Nothing is done. */
export const refused = (reason: string, hint: string): RepairPlan => ({
  kind: 'refused',
  reason,
  hint,
});

/** The same for the reason of several places: the first refusal wins, else all their changes. */
export const together = (plans: readonly RepairPlan[]): RepairPlan => {
  const refusal = plans.find((plan) => plan.kind === 'refused');
  if (refusal !== undefined) return refusal;
  const done = plans.filter((plan) => plan.kind === 'changes');
  return planned(
    done.flatMap(({ changes }) => changes),
    done.flatMap(({ commands }) => commands),
  );
};
