import { plainText } from '../host/plain-text.ts';
import type { Observer } from '../rescue/observer.ts';
import { createStyle } from './style.ts';
import type { Terminal } from './terminal.ts';
import { wrapText } from './wrap.ts';

type Write = (text: string) => void;

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;

const marks = (terminal: Terminal) => {
  const style = createStyle(terminal.colour);
  return terminal.unicode
    ? { good: style.good('✔'), bad: style.bad('✖'), warning: style.warning('!') }
    : { good: style.good('ok'), bad: style.bad('failed'), warning: style.warning('!') };
};

type Tasks = Pick<Observer, 'task' | 'pause'>;

/** A line when a task has ended: for pipes, logs and terminals that cannot be redrawn. */
const lineTask = (terminal: Terminal, write: Write): Observer['task'] => {
  const mark = marks(terminal);
  return async (title, work, done) => {
    const began = performance.now();
    const time = () => seconds(performance.now() - began);
    try {
      const result = await work(() => {});
      write(`  ${mark.good} ${plainText(done?.(result) ?? title)}  ${time()}\n`);
      return result;
    } catch (error) {
      write(`  ${mark.bad} ${plainText(title)}  ${time()}\n`);
      throw error;
    }
  };
};

/** A spinner with the checker's own progress beside it, on a terminal that can be redrawn. */
const liveTasks = (terminal: Terminal, write: Write): Tasks => {
  const line = lineTask(terminal, write);
  let hidden: ((ask: () => Promise<void>) => Promise<void>) | null = null;
  return {
    task: async (title, work, done) => {
      const { showLive } = await import('./live-task.ts');
      let live = showLive(terminal, title);
      hidden = async (ask) => {
        await live.hide();
        await ask().finally(() => {
          live = showLive(terminal, title);
        });
      };
      const shown = async () => {
        try {
          return await work((progress) => live.update(progress));
        } finally {
          hidden = null;
          await live.hide();
        }
      };
      return line(title, shown, done);
    },
    pause: async (ask) => {
      if (hidden === null) return ask();
      const answers: Awaited<ReturnType<typeof ask>>[] = [];
      await hidden(async () => {
        answers.push(await ask());
      });
      return answers[0] as Awaited<ReturnType<typeof ask>>;
    },
  };
};

const lineTasks = (task: Observer['task']): Tasks => ({ task, pause: (ask) => ask() });

/**
 * Shows the progress of a job on standard error.
 *
 * @param settings `quiet` shows nothing but warnings (`--json`); `live` allows a spinner.
 */
export const createObserver = (
  terminal: Terminal,
  settings: { readonly quiet: boolean; readonly live: boolean },
): Observer => {
  const write: Write = (text) => {
    process.stderr.write(text);
  };
  const mark = marks(terminal);
  // A terminal that reports 0 columns cannot be redrawn: each letter would be a line.
  const redrawable =
    terminal.isTerminal &&
    process.env.TERM !== 'dumb' &&
    (process.stderr.columns ?? 0) > 0 &&
    settings.live;
  const tasks: Tasks = settings.quiet
    ? lineTasks((_title, work) => work(() => {}))
    : redrawable
      ? liveTasks(terminal, write)
      : lineTasks(lineTask(terminal, write));
  return {
    ...tasks,
    warn: (text) => {
      const [first = '', ...rest] = wrapText(plainText(text), terminal.columns - 1, 4);
      write(`${[`  ${mark.warning} ${first.trimStart()}`, ...rest].join('\n')}\n`);
    },
    note: (text) => {
      if (settings.quiet) return;
      // Notes also come while a container's shell has the terminal in raw mode (termios(3), OPOST):
      // there a line feed alone does not go back to the first column.
      const end = terminal.isTerminal ? '\r\n' : '\n';
      write(
        wrapText(plainText(text), terminal.columns - 1)
          .map((line) => line + end)
          .join(''),
      );
    },
  };
};
