import { plainText } from '../host/plain-text.ts';
import { RescueError } from '../host/rescue-error.ts';
import type { CheckContext, CheckResult } from './file-system.ts';

const maxEvidenceLines = 20;
const maxLineLength = 300;

type Parts = Partial<Pick<CheckResult, 'needsReplay' | 'evidence' | 'undoFile'>>;

/** Makes the result of a look; what the checker printed is cut and stripped of control characters. */
export const checkResult = (
  { device, fsType }: Pick<CheckContext, 'device' | 'fsType'>,
  outcome: CheckResult['outcome'],
  detail: string,
  parts: Parts = {},
): CheckResult => ({
  device,
  fsType,
  outcome,
  detail,
  needsReplay: parts.needsReplay ?? false,
  evidence: (parts.evidence ?? [])
    .map((line) => plainText(line).slice(0, maxLineLength))
    .filter((line) => line !== '')
    .slice(0, maxEvidenceLines),
  undoFile: parts.undoFile ?? null,
});

/**
 * A tool that crashed or could not do its work is no verdict on the disk: it becomes a result that
 * says so, and the other file systems are still looked at. A missing program, a time-out and an
 * interruption stay errors.
 */
export const orResult = async (
  work: () => Promise<CheckResult>,
  fallback: (words: string) => CheckResult | Promise<CheckResult>,
): Promise<CheckResult> => {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof RescueError) || error.code !== 'COMMAND_FAILED') throw error;
    return await fallback(plainText(error.message));
  }
};

/** "1 problem", "3 problems". */
export const counted = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? '' : 's'}`;
