import { interruptedError } from '../host/run-command.ts';

const escapeKey = '\u001b';
const controlC = '\u0003';
const controlD = '\u0004';

/** The person wants to stop: Ctrl-C, or Esc alone (arrow keys begin with the same character). */
const isStop = (chunk: string): boolean => chunk.includes(controlC) || chunk === escapeKey;

type Listener = { readonly onChunk: (chunk: string) => void; readonly onEnd: () => void };

/** Takes keys as they are pressed, unechoed, until the returned function is called. */
const listen = ({ onChunk, onEnd }: Listener): (() => void) => {
  const { stdin } = process;
  const onData = (data: Buffer | string) => onChunk(String(data));
  const wasRaw = stdin.isRaw;
  stdin.setRawMode(true);
  stdin.on('data', onData);
  stdin.on('end', onEnd);
  stdin.resume();
  return () => {
    stdin.off('data', onData);
    stdin.off('end', onEnd);
    stdin.setRawMode(wasRaw);
    stdin.pause();
  };
};

/**
 * Keeps the terminal from echoing from before a question for a secret is shown until its answer is
 * whole: what is typed in between waits unseen in the kernel.
 */
export const withoutEcho = async <T>(ask: () => Promise<T>): Promise<T> => {
  const { stdin } = process;
  stdin.setRawMode(true);
  try {
    return await ask();
  } finally {
    stdin.setRawMode(false);
  }
};

/**
 * Lets Esc and Ctrl-C stop what runs, until the returned function is called. What else is typed
 * meanwhile is dropped: it was not meant as the answer to a question that had not been asked yet.
 */
export const listenForStop = (stop: () => void): (() => void) =>
  listen({
    onChunk: (chunk) => {
      if (isStop(chunk)) stop();
    },
    onEnd: () => {},
  });

/** The next keys. @throws RescueError `INTERRUPTED` for Esc, Ctrl-C, Ctrl-D, or the signal. */
export const readKeys = (signal: AbortSignal): Promise<string> =>
  new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(interruptedError());
      return;
    }
    const settle = (act: () => void) => {
      release();
      signal.removeEventListener('abort', onEnd);
      act();
    };
    const onEnd = () => settle(() => reject(interruptedError()));
    const release = listen({
      onChunk: (chunk) => {
        if (isStop(chunk) || chunk.includes(controlD)) onEnd();
        else settle(() => resolve(chunk));
      },
      onEnd,
    });
    signal.addEventListener('abort', onEnd, { once: true });
  });
