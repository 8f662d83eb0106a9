import { input, password, select } from '@inquirer/prompts';
import { interruptedError } from '../host/run-command.ts';
import { createStyle } from '../output/style.ts';
import type { Terminal } from '../output/terminal.ts';
import { cutText } from '../output/text-width.ts';
import type { Ask, Choice } from './ask.ts';
import { keyPrompt } from './key-prompt.ts';

type PromptContext = {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly signal: AbortSignal;
};

const endings = new Set(['ExitPromptError', 'AbortPromptError', 'CancelPromptError']);

/**
 * Runs one prompt. Ctrl-C in a prompt is no SIGINT but an `ExitPromptError`, and Esc means nothing
 * to inquirer: here both are the person's wish to stop.
 */
const asking = async <T>(
  signal: AbortSignal,
  prompt: (context: PromptContext) => Promise<T>,
): Promise<T> => {
  const { stdin } = process;
  const left = new AbortController();
  const onKeypress = (_text: string | undefined, key: { readonly name?: string }): void => {
    if (key.name === 'escape') left.abort();
  };
  stdin.on('keypress', onKeypress);
  try {
    const either = AbortSignal.any([signal, left.signal]);
    return await prompt({ input: stdin, output: process.stderr, signal: either });
  } catch (error) {
    if (error instanceof Error && endings.has(error.name)) throw interruptedError();
    throw error;
  } finally {
    stdin.off('keypress', onKeypress);
  }
};

/** inquirer colours by itself and takes its signs from the platform; here the terminal decides. */
const themeFor = (terminal: Terminal) => {
  const style = createStyle(terminal.colour);
  const tick = terminal.unicode ? '✔' : '?';
  return {
    prefix: { idle: `  ${style.accent('?')}`, done: `  ${style.accent(tick)}` },
    spinner: { interval: 200, frames: ['  -', '  \\', '  |', '  /'] },
    icon: { cursor: terminal.unicode ? '❯' : '>' },
    style: {
      answer: style.accent,
      message: style.bold,
      error: (text: string) => style.bad(`    ${text}`),
      highlight: style.accent,
      disabled: style.dim,
      description: style.dim,
      keysHelpTip: () => style.dim('    Arrow keys move, Enter chooses, Esc leaves.'),
    },
    i18n: { disabledError: 'This one cannot be chosen.' },
  };
};

/** One screen line for each choice: inquirer counts lines, and a wrapped one is two. */
const inquirerChoice = <T>(
  { name, value, disabled }: Choice<T>,
  message: string,
  terminal: Terminal,
) => {
  const mark = terminal.unicode ? '…' : '...';
  const room = terminal.columns - 4;
  if (disabled === null) {
    const short = cutText(name, Math.max(room - message.length - 3, 12), mark);
    return { value, name: cutText(name, room, mark), short };
  }
  const reason = cutText(disabled, Math.max(room - name.length - 2, 12), mark);
  return { value, name: cutText(name, room - reason.length - 2, mark), disabled: ` ${reason}` };
};

/** Lines of the screen that a list of choices leaves to what stands above and below it. */
const otherLines = 10;

/** Asks with inquirer on a terminal that can move its cursor. */
export const inquirerAsk = (terminal: Terminal, signal: AbortSignal): Ask => {
  const theme = themeFor(terminal);
  const style = createStyle(terminal.colour);
  return {
    key: async (question) => {
      const config = { question, columns: terminal.columns, style };
      const value = await asking(signal, (context) => keyPrompt(config, context));
      return question.keys.find((key) => key.value === value)?.value ?? question.safe;
    },
    choose: ({ message, choices }) =>
      asking(signal, (context) =>
        select(
          {
            message,
            choices: choices.map((choice) => inquirerChoice(choice, message, terminal)),
            loop: false,
            pageSize: Math.max(terminal.rows - otherLines, 5),
            theme,
          },
          context,
        ),
      ),
    line: ({ message, check }) =>
      asking(signal, (context) =>
        input(
          {
            message,
            theme,
            validate: async (text) => (text.trim() === '' ? true : ((await check(text)) ?? true)),
          },
          context,
        ),
      ),
    secret: ({ message }) =>
      asking(signal, (context) => password({ message, mask: '*', theme }, context)),
  };
};
