import type { BootStage } from '../proof.ts';
import type { BootConsole } from './console/boot-console.ts';
import type { Judgement } from './console/judgement.ts';

/** What is typed where the system asks for a passphrase. */
export type Answers = {
  readonly passphrases: readonly string[];
  /** Some are known and not typed, because the machine has a network. */
  readonly withheld: boolean;
};

type Asked = Extract<Judgement, { readonly outcome: 'not-judged' }>;

const unanswered = (judgement: Asked, cause: string): Asked => ({
  ...judgement,
  asks: null,
  cause,
});

const openQuestion = (judgement: Asked, { passphrases, withheld }: Answers): Judgement => {
  const asked = `The system asks for a passphrase (${judgement.asks})`;
  if (withheld) {
    return unanswered(
      judgement,
      `${asked}, which is typed only into a machine without a network: leave out --network.`,
    );
  }
  if (passphrases.length === 0) return judgement;
  return unanswered(judgement, `${asked}, and takes none that opened its volumes here.`);
};

/** Answers the questions of one boot and says what a verdict is worth behind them. */
export type Answering = {
  /** Whether there is one to type. */
  readonly has: (question: string) => boolean;
  /** The next one to type, null when there is none or no further one. */
  readonly next: (question: string, stage: BootStage | null) => string | null;
  /** The machine was reset: it will ask everything again. */
  readonly restarted: () => void;
  /** The judgement, unless it is only that no key was taken: that says nothing of the system. */
  readonly judged: (judgement: Judgement) => Judgement;
  /** At the time limit: nothing tells yet whether the last answer was taken; else null. */
  readonly pending: () => Judgement | null;
};

/**
 * Each passphrase is typed once for each question. A wrong one costs the system one of its tries
 * (three with initramfs-tools and systemd), so that a boot that fails behind it is not judged.
 */
export const answering = (answers: Answers, console: BootConsole): Answering => {
  const given = new Map<string, number>();
  // A question that comes again may have been drawn with other words behind it.
  const keyOf = (question: string): string => question.split(':')[0] ?? '';
  let isAskedAgain = false;
  let last: { readonly question: string; readonly stage: BootStage | null } | null = null;
  return {
    has: (question) => (given.get(keyOf(question)) ?? 0) < answers.passphrases.length,
    next: (question, stage) => {
      const key = keyOf(question);
      const count = given.get(key) ?? 0;
      isAskedAgain ||= count > 0;
      const text = answers.passphrases[count] ?? null;
      if (text === null) return null;
      given.set(key, count + 1);
      last = { question, stage };
      return text;
    },
    restarted: () => {
      given.clear();
      isAskedAgain = false;
      last = null;
    },
    judged: (judgement) => {
      if (judgement.outcome === 'not-judged' && judgement.asks !== null) {
        return openQuestion(judgement, answers);
      }
      if (judgement.outcome !== 'failed' || last === null) return judgement;
      if (!isAskedAgain && !console.refusedKey()) return judgement;
      const { stage, cause, silence, bySilence } = judgement;
      return {
        ...{ outcome: 'not-judged', asks: null, stage, silence, bySilence },
        cause: `What opened its volumes here was not taken as the passphrase at once (${last.question}), and the system may have given up for that alone: ${cause}`,
      };
    },
    pending: () => {
      if (last === null || console.stage() !== last.stage) return null;
      return {
        ...{ outcome: 'not-judged', asks: null, stage: last.stage ?? 'initramfs' },
        ...{ silence: 0, bySilence: true },
        cause: `A passphrase was typed (${last.question}), and nothing tells yet whether it was taken: in software emulation a key may take minutes. A longer --boot-timeout may show more.`,
      };
    },
  };
};
