import type { CommandContext } from '../commands/context.ts';
import { createObserver } from '../output/progress.ts';
import { describeTerminal, type Terminal } from '../output/terminal.ts';
import type { Observer } from '../rescue/observer.ts';
import type { Ask } from './ask.ts';
import { plainAsk } from './plain-ask.ts';
import { inquirerAsk } from './prompts.ts';
import { listenForStop } from './raw-keys.ts';
import { asciiOnly } from './screen.ts';

/** Where the walk talks with the person: everything goes to standard error, in one order. */
export type Console = {
  readonly terminal: Terminal;
  readonly ask: Ask;
  /** Shows the running tasks; Esc and Ctrl-C stop them. */
  readonly observer: Observer;
  /** Writes lines, with a newline after the last. */
  readonly show: (text: string) => void;
  /** Aborted by a signal, or by Esc or Ctrl-C in a task. */
  readonly signal: AbortSignal;
};

/**
 * When the terminal goes away, reading fails, and so does readline's own setting back of its mode:
 * each unheard error would end the process at once, with everything still up.
 */
const surviveHangUp = (stop: () => void): void => {
  const { stdin } = process;
  for (const event of ['error', 'end', 'close']) stdin.on(event, stop);
  const setRawMode = stdin.setRawMode.bind(stdin);
  stdin.setRawMode = (mode) => {
    try {
      return setRawMode(mode);
    } catch {
      stop();
      return stdin;
    }
  };
};

/** A serial console reports 0 columns, with which inquirer and listr2 never come to an end. */
const assumeSize = (stream: NodeJS.WriteStream): void => {
  if (!stream.columns) stream.columns = 80;
  if (!stream.rows) stream.rows = 24;
};

/** Esc and Ctrl-C stop a task, but not while a question is asked in it: that reads the keys itself. */
const stoppable = (observer: Observer, stop: () => void): Observer => {
  let release: (() => void) | null = null;
  return {
    ...observer,
    task: async (title, work, done) => {
      release = listenForStop(stop);
      try {
        return await observer.task(title, work, done);
      } finally {
        release();
        release = null;
      }
    },
    pause: (ask) =>
      observer.pause(async () => {
        const running = release !== null;
        release?.();
        try {
          return await ask();
        } finally {
          if (running) release = listenForStop(stop);
        }
      }),
  };
};

/** Questions for this terminal: with inquirer where the cursor can move, else line by line. */
export const openAsk = (
  terminal: Terminal,
  write: (text: string) => void,
  signal: AbortSignal,
): Ask => {
  const dumb = process.env.TERM === undefined || process.env.TERM === 'dumb';
  return dumb ? plainAsk(terminal.columns, write, signal) : inquirerAsk(terminal, signal);
};

export const openConsole = (context: CommandContext): Console => {
  for (const stream of [process.stdout, process.stderr]) assumeSize(stream);
  const { options } = context;
  const terminal = describeTerminal(process.stderr, process.env, options.color);
  const stop = new AbortController();
  surviveHangUp(() => stop.abort());
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const write = (text: string): void => {
    process.stderr.write(terminal.unicode ? text : asciiOnly(text));
  };
  const dumb = process.env.TERM === undefined || process.env.TERM === 'dumb';
  const live = !dumb && !options.verbose;
  const observer = createObserver(terminal, { quiet: false, live });
  return {
    terminal,
    ask: openAsk(terminal, write, signal),
    observer: stoppable(observer, () => stop.abort()),
    show: (text) => write(`${text}\n`),
    signal,
  };
};
