import {
  ListrDefaultRendererLogLevels as Level,
  Listr,
  ListrLogger,
  ProcessOutput,
  Spinner,
} from 'listr2';
import { plainText } from '../host/plain-text.ts';
import type { TaskUpdate } from '../rescue/observer.ts';
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

/**
 * Runs one task with a spinner on standard error.
 *
 * listr2's own signal handling is off: it would end the process at once, and nothing would be
 * taken down.
 */
export const runLive = async <T>(
  terminal: Terminal,
  title: string,
  work: (update: TaskUpdate) => Promise<T>,
  done?: (result: T) => string,
): Promise<T> => {
  let result: { readonly value: T } | undefined;
  const list = new Listr(
    [
      {
        title: plainText(title),
        task: async (_context, task) => {
          let last = 0;
          const began = performance.now();
          const value = await work((progress) => {
            if (performance.now() - last < redrawMilliseconds) return;
            last = performance.now();
            task.output = plainText(progressText(progress));
          });
          result = { value };
          const seconds = ((performance.now() - began) / 1000).toFixed(1);
          task.title = `${plainText(done?.(value) ?? title)}  ${seconds} s`;
        },
      },
    ],
    {
      registerSignalListeners: false,
      renderer: 'default',
      fallbackRendererCondition: false,
      rendererOptions: {
        ...signsFor(terminal),
        showErrorMessage: false,
        collapseErrors: false,
        logger: new ListrLogger({
          processOutput: new ProcessOutput(process.stderr, process.stderr),
          toStderr: [],
        }),
      },
      ...(terminal.colour ? {} : { forceTTY: false }),
    },
  );
  await list.run();
  if (result === undefined) throw new Error(`${title} gave no result`);
  return result.value;
};
