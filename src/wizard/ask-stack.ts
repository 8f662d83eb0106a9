import type { CommandContext } from '../commands/context.ts';
import { type AskStack, answersFrom, askedAttempts } from '../commands/stack-answers.ts';
import { createStyle } from '../output/style.ts';
import { describeTerminal } from '../output/terminal.ts';
import { wrapText } from '../output/wrap.ts';
import type { Observer } from '../rescue/observer.ts';
import type { StackAnswers } from '../rescue/stack-answers.ts';
import type { Consent, Opening } from '../storage/layer.ts';
import type { Ask, KeyQuestion } from './ask.ts';
import { type Console, openAsk } from './console.ts';

const consentQuestions: Readonly<Record<Consent, string>> = {
  degraded: 'Open it without the missing member?',
  partial: 'Open what is left of it?',
  'rename-clone': 'Give it another id until everything is taken down?',
};

/** Yes or no, and Enter alone means no. */
export const yesOrNo = (message: string): KeyQuestion<'yes' | 'no'> => ({
  message,
  keys: [
    { key: 'y', value: 'yes', word: 'yes' },
    { key: 'n', value: 'no', word: 'no' },
  ],
  safe: 'no',
});

const why = ({ need, what }: Opening): string =>
  need.kind === 'consent' ? `${what}: ${need.why}` : what;

const attemptWords = (attempt: number): string =>
  attempt === 0 ? '' : `, attempt ${attempt + 1} of ${askedAttempts}`;

type Person = {
  readonly ask: Ask;
  readonly columns: number;
  readonly show: (text: string) => void;
  /** Takes the display of running tasks off the screen meanwhile. */
  readonly pause: Observer['pause'];
};

const lines = (text: string, columns: number): string =>
  wrapText(text.slice(0, 1).toUpperCase() + text.slice(1), columns - 1, 4, '  ! ').join('\n');

/** Asks for what opens the layers of a target; Enter alone leaves each of them closed. */
export const askStack = ({ ask, columns, show, pause }: Person): AskStack => ({
  allow: (opening, consent) =>
    pause(async () => {
      show(lines(why(opening), columns));
      return (await ask.key(yesOrNo(consentQuestions[consent]))) === 'yes';
    }),
  passphrase: (opening, attempt) =>
    pause(async () => {
      const words = `${opening.what} is closed. Enter alone leaves it so.`;
      show(attempt > 0 ? '    That did not open it.' : lines(words, columns));
      const text = await ask.secret({ message: `Passphrase${attemptWords(attempt)}:` });
      return text === '' ? null : text;
    }),
});

/** Answers for a guided walk, in which everything is asked. */
export const stackAnswersOf = ({ ask, terminal, show, observer }: Console): StackAnswers => {
  const { columns } = terminal;
  const person = askStack({ ask, columns, show, pause: observer.pause });
  return { ...answersFrom([], () => false, person), luksHeaders: [] };
};

/** The same for a command that runs on a terminal. */
export const askOnTerminal = (context: CommandContext): AskStack => {
  const terminal = describeTerminal(process.stderr, process.env, context.options.color);
  const write = (text: string): void => {
    process.stderr.write(text);
  };
  const style = createStyle(terminal.colour);
  return askStack({
    ask: openAsk(terminal, write, context.signal),
    columns: terminal.columns,
    show: (text) => write(`${style.warning(text)}\n`),
    pause: context.observer.pause,
  });
};
