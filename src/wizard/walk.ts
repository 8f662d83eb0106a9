import type { BootReport } from '../container/boot-report.ts';
import type { CheckResult } from '../filesystems/file-system.ts';
import { plainText } from '../host/plain-text.ts';
import type { AttachedTarget } from '../rescue/attach.ts';
import type { MountedSystem, SystemMode } from '../rescue/mount-system.ts';
import type { Session } from '../rescue/session.ts';
import type { FoundSystem, Survey } from '../rescue/survey.ts';
import type { Target } from '../rescue/target.ts';
import type { KeyQuestion } from './ask.ts';
import type { Console } from './console.ts';
import { renderExplanation, renderStep, type StepScreen } from './screen.ts';

/** One walk over one target, in one session. */
export type Walk = Console & {
  readonly session: Session;
  readonly target: Target;
  /** Null for a directory. */
  readonly attached: AttachedTarget | null;
  /** False for a disk that cannot be written: only a throwaway copy can be booted. */
  readonly writable: boolean;
  /** Reads what is on the target. Not one byte is written. */
  readonly look: () => Promise<Survey>;
  /** Lifts the write protection under which everything is looked at. */
  readonly allowWrites: () => Promise<void>;
};

/** What was done, for the last words. */
export type WalkRecord = {
  readonly system: FoundSystem | null;
  readonly checks: readonly CheckResult[];
  /** Repairs of what was diagnosed, made on the disk. */
  readonly mended: number;
  readonly mounted: { readonly where: MountedSystem; readonly mode: SystemMode } | null;
  readonly boot: BootReport | null;
  /** The person has seen what is on it and wants another disk. */
  readonly otherDisk: boolean;
  /** The person wants to go on with a layer over the disks: a session of its own. */
  readonly rehearse: boolean;
};

/** Host name, distribution, or what was named: what a person calls the system. */
export const callName = (system: FoundSystem | null, target: Target): string =>
  plainText(system?.facts.hostname ?? system?.facts.os.prettyName ?? '') || target.name;

export type Asked<T extends string> = KeyQuestion<T | 'explain'>;

/** Shows a step and asks, and explains as often as the person wants. */
export const askStep = async <T extends string>(
  walk: Console,
  screen: StepScreen,
  question: Asked<T>,
  explanation: readonly string[],
): Promise<T> => {
  walk.show(renderStep(screen, walk.terminal));
  for (;;) {
    const answer = await walk.ask.key(question);
    if (answer !== 'explain') return answer as T;
    walk.show(renderExplanation(explanation, screen, walk.terminal));
  }
};

export type GoOn = 'yes' | 'skip' | 'leave';

/** The question of each step that can do no harm. */
export const goOn: Asked<GoOn> = {
  message: 'Go on?',
  keys: [
    { key: 'y', value: 'yes', word: 'yes' },
    { key: 's', value: 'skip', word: 'skip' },
    { key: 'e', value: 'explain', word: 'explain' },
    { key: 'q', value: 'leave', word: 'take everything down and leave' },
  ],
  safe: 'yes',
};
