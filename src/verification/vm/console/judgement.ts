import type { BootStage } from '../../proof.ts';
import { grubError } from './failure-causes.ts';

/** What the console says about the boot up to now. */
export type Judgement = {
  /** Seconds without anything new on the console until it is certain. */
  readonly silence: number;
  /** It rests on nothing having come, and not on anything that was read. */
  readonly bySilence: boolean;
} & (
  | { readonly outcome: 'passed'; readonly by: 'login' | 'default-target' }
  | { readonly outcome: 'failed'; readonly stage: BootStage; readonly cause: string }
  /** It goes no further, and a healthy system would not either. */
  | {
      readonly outcome: 'not-judged';
      readonly stage: BootStage;
      readonly cause: string;
      /** The question of the system that an answer on the console would get it past; else null. */
      readonly asks: string | null;
    }
);

/** Seconds. Boot code that writes nothing, and loaders that stand still, do not come back. */
const silentFirmware = 60;
const silentLoader = 120;
/** Time in which a getty that was not announced would have written its prompt, and one that was. */
const targetSeconds = 30;
const silentGetty = 90;
/** A judgement that needs more silence goes by nothing that was said. */
const spokenWithin = 20;

/** @param silence as in `Judgement`. */
export const failed = (stage: BootStage, cause: string, silence: number): Judgement => ({
  outcome: 'failed',
  stage,
  cause,
  silence,
  bySilence: silence > spokenWithin,
});

/** What silence means in a stage, when nothing on the console says it; null: only time tells. */
export const judgeSilence = (
  stage: BootStage | null,
  lines: readonly string[],
  sawGetty: boolean,
  sinceTarget: number,
): Judgement | null => {
  const error = grubError(lines);
  switch (stage) {
    case null:
      return failed('firmware', 'The firmware wrote nothing.', silentFirmware);
    case 'firmware':
      return failed(
        'firmware',
        'The firmware started the disk’s boot code, and then nothing came any more.',
        silentFirmware,
      );
    case 'boot-loader':
      return failed(
        'boot-loader',
        error === null
          ? 'The boot loader stood still.'
          : `The boot loader stood still after an error: ${error}`,
        silentLoader,
      );
    case 'default-target':
      return sawGetty
        ? failed(stage, 'The login service was started, but no prompt came.', silentGetty)
        : {
            ...{ outcome: 'passed', by: 'default-target', bySilence: false },
            // Only a new failure counts from here on, and not what else the kernel has to say.
            silence: Math.max(1, targetSeconds - sinceTarget),
          };
    default:
      return null;
  }
};
