import { Listr, ListrLogger, PRESET_TIMER, ProcessOutput } from 'listr2';
import { plainText } from '../host/plain-text.ts';
import type { TaskUpdate } from '../rescue/observer.ts';
import { progressText } from './progress.ts';
import type { Terminal } from './terminal.ts';

/** Redrawing faster than this only costs time on a serial line. */
const redrawMilliseconds = 100;

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
          const value = await work((progress) => {
            if (performance.now() - last < redrawMilliseconds) return;
            last = performance.now();
            task.output = plainText(progressText(progress));
          });
          result = { value };
          if (done !== undefined) task.title = plainText(done(value));
        },
      },
    ],
    {
      registerSignalListeners: false,
      renderer: 'default',
      fallbackRendererCondition: false,
      rendererOptions: {
        timer: PRESET_TIMER,
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
