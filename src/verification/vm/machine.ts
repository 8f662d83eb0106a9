import { z } from 'zod';
import type { Host } from '../../host/host.ts';
import { connectQmp, type Qmp, type QmpEvent } from '../../host/qmp.ts';
import { RescueError } from '../../host/rescue-error.ts';
import { connectUnixSocket } from '../../host/unix-socket.ts';
import { waitUntil } from '../../host/wait.ts';
import { type MachinePlan, machineArguments, machineFiles } from './machine-arguments.ts';
import { type ProcessorState, processorState } from './processor-state.ts';

export type MachineEvents = {
  readonly onText: (text: string) => void;
  readonly onEvent: (event: QmpEvent) => void;
};

/** A virtual machine that runs. Disposing ends it and waits until its process is gone. */
export type Machine = AsyncDisposable & {
  /** Resolves when QEMU has ended by itself; rejects with its words when it failed. */
  readonly ended: Promise<void>;
  readonly processor: () => Promise<ProcessorState>;
  /** Clock ticks (1/100 s) of processor time that QEMU has used. */
  readonly usedTicks: () => Promise<number | null>;
  /** Writes a picture of the screen; null when this QEMU cannot. */
  readonly picture: (path: string) => Promise<string | null>;
};

/** Seconds for QEMU to open its sockets; a loaded machine takes a while. */
const startMilliseconds = 30_000;

/** Tries until it works or the process that should answer has ended. */
const connectWhile = async <T>(
  connect: () => Promise<T>,
  ended: () => boolean,
): Promise<T | null> => {
  const found: T[] = [];
  await waitUntil(async () => {
    const socket = await connect().catch(() => null);
    if (socket !== null) found.push(socket);
    return socket !== null || ended();
  }, startMilliseconds);
  return found[0] ?? null;
};

const launch = (host: Host, plan: MachinePlan, directory: string, signal: AbortSignal) =>
  host.run({
    program: 'env',
    // Its sockets then have short names: a path of more than 107 bytes is none for a socket.
    args: [`--chdir=${directory}`, 'qemu-system-x86_64', ...machineArguments(plan)],
    timeoutSeconds: 0,
    signal,
  });

const picture = async (qmp: Qmp, path: string): Promise<string | null> => {
  try {
    await qmp.execute('screendump', { filename: path, format: 'png' });
    return path;
  } catch {
    // QEMU before 7.1 writes no PNG, and a machine that has just ended has no screen.
    return null;
  }
};

const usedTicks = async (host: Host, directory: string): Promise<number | null> => {
  const pid = (await host.files.readText(`${directory}/${machineFiles.pid}`))?.trim() ?? '';
  if (!/^\d+$/.test(pid)) return null;
  const stat = await host.files.readText(`/proc/${pid}/stat`).catch(() => null);
  // proc_pid_stat(5): fields 14 and 15, counted behind the name in parentheses.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  const ticks = Number(fields[11]) + Number(fields[12]);
  return Number.isNaN(ticks) ? null : ticks;
};

const notStarted = (): RescueError =>
  new RescueError({
    code: 'VM_NOT_STARTED',
    message: `QEMU did not open its sockets within ${startMilliseconds / 1000} s and was stopped.`,
    hint: 'Run again with --verbose to see the command.',
  });

/**
 * Starts QEMU and connects console and monitor. The machine waits until the console is read, so no
 * line is lost.
 *
 * @param directory empty directory of this machine alone
 * @throws RescueError with QEMU's words when it does not start, `VM_NOT_STARTED` when it hangs.
 */
export const startMachine = async (
  host: Host,
  plan: MachinePlan,
  directory: string,
  signal: AbortSignal,
  events: MachineEvents,
): Promise<Machine> => {
  const stop = new AbortController();
  let over = false;
  let stopped = false;
  const ended = launch(host, plan, directory, AbortSignal.any([signal, stop.signal])).then(
    () => {
      over = true;
    },
    (error: unknown) => {
      over = true;
      if (!stopped) throw error;
    },
  );
  // Awaited by the one who watches or by the end; in between it is no unhandled rejection.
  ended.catch(() => {});
  const giveUp = async (): Promise<never> => {
    stopped = !over;
    stop.abort();
    await ended;
    throw notStarted();
  };
  const isOver = () => over;
  const text = await connectWhile(
    () => connectUnixSocket(`${directory}/${machineFiles.console}`),
    isOver,
  );
  if (text === null) return giveUp();
  // The machine's end closes it; that is told by `ended`.
  text
    .setEncoding('utf8')
    .on('data', events.onText)
    .on('error', () => {});
  const qmp = await connectWhile(
    () => connectQmp(`${directory}/${machineFiles.monitor}`, events.onEvent),
    isOver,
  );
  if (qmp === null) return giveUp();
  return {
    ended,
    processor: async () =>
      processorState(
        z
          .string()
          .parse(await qmp.execute('human-monitor-command', { 'command-line': 'info registers' })),
      ),
    usedTicks: () => usedTicks(host, directory),
    picture: (path) => picture(qmp, path),
    [Symbol.asyncDispose]: async () => {
      stopped = true;
      // The answer may be lost with the monitor itself.
      await qmp.execute('quit').catch(() => {});
      const wait = setTimeout(() => stop.abort(), 5000);
      await ended.catch(() => {});
      clearTimeout(wait);
      await qmp[Symbol.asyncDispose]();
      text.destroy();
    },
  };
};
