import { mapBounded } from '../host/bounded.ts';
import { isInterruption, messageOf } from '../host/rescue-error.ts';
import type { Check } from './check.ts';
import type { Finding } from './finding.ts';
import type { Subject } from './subject.ts';

const atATime = 8;

const rank = { critical: 0, warning: 1, info: 2 } as const;

/** A check that stumbled: said to the person, because what it looks for was then not looked for. */
export type FailedCheck = { readonly area: Check['area']; readonly reason: string };

export type Diagnosis = {
  /** The worst first; within a severity in the order of the checks. */
  readonly findings: readonly Finding[];
  readonly notChecked: readonly FailedCheck[];
};

/**
 * Asks a system all questions. One that fails on a damaged disk does not take the answers of the
 * others away: it is named in `notChecked`.
 *
 * @throws RescueError `INTERRUPTED`.
 */
export const runChecks = async (subject: Subject, checks: readonly Check[]): Promise<Diagnosis> => {
  const notChecked: FailedCheck[] = [];
  const found = await mapBounded(checks, atATime, async (check) => {
    try {
      return await check.run(subject);
    } catch (error) {
      if (isInterruption(error)) throw error;
      notChecked.push({ area: check.area, reason: messageOf(error) });
      return [];
    }
  });
  const findings = found.flat();
  return {
    findings: findings.toSorted((one, other) => rank[one.severity] - rank[other.severity]),
    notChecked,
  };
};

/** Nothing that has to be mended. Information alone leaves a system healthy. */
export const isHealthy = ({ findings, notChecked }: Diagnosis): boolean =>
  notChecked.length === 0 && findings.every(({ severity }) => severity === 'info');
