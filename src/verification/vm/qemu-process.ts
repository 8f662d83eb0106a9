import type { Host } from '../../host/host.ts';

/** QEMU as a process: its end, and how it is brought about. */
export type QemuProcess = {
  /** Resolves when it has ended by itself or was stopped; rejects with its words when it failed. */
  readonly ended: Promise<void>;
  readonly isOver: () => boolean;
  /** From now on its end is wanted, whatever its exit code. */
  readonly expectEnd: () => void;
  /** Sends SIGTERM to its process group, after ten seconds SIGKILL, and waits. */
  readonly stop: () => Promise<void>;
};

/** Starts QEMU in a directory; relative paths among the words are in there. */
export const startQemu = (
  host: Host,
  words: readonly string[],
  directory: string,
  signal: AbortSignal,
): QemuProcess => {
  const stopping = new AbortController();
  let over = false;
  let wanted = false;
  const run = host.run({
    program: 'env',
    // Its sockets then have short names: a path of more than 107 bytes is none for a socket.
    args: [`--chdir=${directory}`, 'qemu-system-x86_64', ...words],
    timeoutSeconds: 0,
    signal: AbortSignal.any([signal, stopping.signal]),
    changes: false,
  });
  const ended = run
    .then(() => {})
    .catch((error: unknown) => {
      if (!wanted) throw error;
    })
    .finally(() => {
      over = true;
    });
  // Awaited by the one who watches or by the end; in between it is no unhandled rejection.
  ended.catch(() => {});
  return {
    ended,
    isOver: () => over,
    expectEnd: () => {
      wanted = true;
    },
    stop: async () => {
      wanted = true;
      stopping.abort();
      await ended.catch(() => {});
    },
  };
};
