import {
  ListrDefaultRendererLogLevels as Level,
  Listr,
  ListrLogger,
  ProcessOutput,
  Spinner,
} from 'listr2';
import { plainText } from '../host/plain-text.ts';
import type { TaskUpdate } from '../rescue/observer.ts';
import { drawTask } from './aside.ts';
import { progressText } from './progress-text.ts';
import type { Terminal } from './terminal.ts';

/** Redrawing faster than this only costs time on a serial line. */
const redrawMilliseconds = 100;

class UnicodeSpinner extends Spinner {
  protected override readonly spinner = [...'⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'].map((frame) => `  ${frame}`);
}

class AsciiSpinner extends Spinner {
  protected override readonly spinner = ['-', '\\', '|', '/'].map((frame) => `  ${frame}`);
}

/** Signs as the locale can show them; two blanks before each make the margin of all other lines. */
const signsFor = (terminal: Terminal) => {
  const sign = (unicode: string, ascii: string) => `  ${terminal.unicode ? unicode : ascii}`;
  return {
    spinner: terminal.unicode ? new UnicodeSpinner() : new AsciiSpinner(),
    icon: {
      [Level.COMPLETED]: sign('✔', 'ok'),
      [Level.FAILED]: sign('✖', 'failed'),
      [Level.PENDING]: sign('❯', '>'),
      [Level.WAITING]: sign('◼', '-'),
      [Level.OUTPUT]: sign('›', '>'),
    },
    // listr2 colours by its own rules, which know nothing of --no-color.
    ...(terminal.colour ? {} : { color: uncoloured }),
  };
};

const uncoloured = Object.fromEntries(
  Object.values(Level).map((level) => [level, (text?: string) => text ?? '']),
);

export type LiveTask = {
  readonly update: TaskUpdate;
  /** Takes the spinner off the screen without a trace; resolves when it is gone. */
  readonly hide: () => Promise<void>;
};

/**
 * Shows a spinner with a title on standard error, until it is hidden. What comes of the task is
 * written afterwards by whoever runs it, so that a question can come in between.
 *
 * listr2's own signal handling is off: it would end the process at once, and nothing would be
 * taken down.
 */
export const showLive = (terminal: Terminal, title: string): LiveTask => {
  const ended = Promise.withResolvers<void>();
  let show: (text: string) => void = () => {};
  let last = 0;
  const list = new Listr(
    [
      {
        title: plainText(title),
        task: async (_context, task) => {
          show = (text) => {
            task.output = text;
          };
          await ended.promise;
        },
      },
    ],
    {
      registerSignalListeners: false,
      renderer: 'default',
      fallbackRendererCondition: false,
      rendererOptions: {
        ...signsFor(terminal),
        clearOutput: true,
        logger: new ListrLogger({
          processOutput: new ProcessOutput(process.stderr, process.stderr),
          toStderr: [],
        }),
      },
      ...(terminal.colour ? {} : { forceTTY: false }),
    },
  );
  const running = list.run();
  drawTask((line) => show(plainText(line)));
  return {
    update: (progress) => {
      if (performance.now() - last < redrawMilliseconds) return;
      last = performance.now();
      show(plainText(progressText(progress)));
    },
    hide: async () => {
      drawTask(null);
      ended.resolve();
      await running;
    },
  };
};
