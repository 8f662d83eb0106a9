import { randomBytes } from 'node:crypto';
import { constants, openSync } from 'node:fs';
import { Socket } from 'node:net';

/** The reading end of a FIFO that someone less trusted writes to. */
export type FifoReader = {
  /** Resolves when all that was written up to now has been delivered. */
  readonly finish: () => Promise<void>;
  readonly close: () => void;
};

/**
 * Delivers what is written to a FIFO as it comes.
 *
 * Opened for reading and writing, which on Linux never blocks and never sees an end of file
 * (fifo(7)): writers may come and go. The end is found by a random mark that is written behind
 * everything else.
 */
export const readFifo = (path: string, onData: (chunk: Buffer) => void): FifoReader => {
  // A plain descriptor: the socket closes it, a FileHandle would close it a second time.
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const socket = new Socket({ fd, readable: true, writable: true });
  const mark = randomBytes(16);
  let held = Buffer.alloc(0);
  let finished: (() => void) | undefined;
  socket.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    const at = held.indexOf(mark);
    if (at >= 0) {
      if (at > 0) onData(held.subarray(0, at));
      finished?.();
      return;
    }
    if (finished === undefined) {
      onData(held);
      held = Buffer.alloc(0);
    }
  });
  return {
    finish: async () => {
      const seen = new Promise<void>((resolve, reject) => {
        finished = resolve;
        socket.once('error', reject);
      });
      socket.write(mark);
      await seen;
    },
    close: () => {
      socket.destroy();
    },
  };
};
