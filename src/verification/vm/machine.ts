import type { Socket } from 'node:net';
import { z } from 'zod';
import type { Host } from '../../host/host.ts';
import { connectQmp, type Qmp, type QmpEvent } from '../../host/qmp.ts';
import { RescueError } from '../../host/rescue-error.ts';
import { connectUnixSocket } from '../../host/unix-socket.ts';
import { waitUntil } from '../../host/wait.ts';
import type { Channel } from './console/console-memory.ts';
import {
  type MachinePlan,
  machineArguments,
  machineFiles,
  mirrorPort,
} from './machine-arguments.ts';
import { type ProcessorState, processorState } from './processor-state.ts';
import { type QemuProcess, startQemu } from './qemu-process.ts';

export type MachineEvents = {
  readonly onText: (text: string, channel: Channel) => void;
  readonly onEvent: (event: QmpEvent) => void;
};

/** Seconds that QEMU's threads worked, and that they waited for a processor to work on. */
export type MachineLoad = { readonly worked: number; readonly waited: number };

/** A virtual machine that runs. Disposing ends it and waits until its process is gone. */
export type Machine = AsyncDisposable & {
  /** Resolves when QEMU has ended by itself; rejects with its words when it failed. */
  readonly ended: Promise<void>;
  readonly processor: () => Promise<ProcessorState>;
  /** Types on the first serial port, the system's console. */
  readonly type: (text: string) => void;
  /** What QEMU's threads had to do since its start; null when it cannot be told. */
  readonly load: () => Promise<MachineLoad | null>;
  /** Writes a picture of the screen; null when this QEMU cannot. */
  readonly picture: (path: string) => Promise<string | null>;
};

/** Time for QEMU to open its sockets, and to end when it is told to; a loaded machine takes a while. */
const startMilliseconds = 30_000;
const quitMilliseconds = 5_000;

const notStarted = (): RescueError =>
  new RescueError({
    code: 'VM_NOT_STARTED',
    message: `QEMU did not open its sockets within ${startMilliseconds / 1000} s and was stopped.`,
    hint: 'Run again with --verbose to see the command.',
  });

/**
 * Connects as soon as QEMU listens.
 *
 * @throws RescueError with QEMU's words when it has ended, `VM_NOT_STARTED`.
 */
const connected = async <T>(qemu: QemuProcess, connect: () => Promise<T>): Promise<T> => {
  const found: T[] = [];
  await waitUntil(async () => {
    const connection = await connect().catch(() => null);
    if (connection !== null) found.push(connection);
    return connection !== null || qemu.isOver();
  }, startMilliseconds);
  const [first] = found;
  if (first !== undefined) return first;
  if (qemu.isOver()) await qemu.ended;
  throw notStarted();
};

const picture = async (qmp: Qmp, path: string): Promise<string | null> => {
  try {
    await qmp.execute('screendump', { filename: path, format: 'png' });
    return path;
  } catch {
    // QEMU before 7.1 writes no PNG, and a machine that has just ended has no screen.
    return null;
  }
};

const processor = async (qmp: Qmp): Promise<ProcessorState> => {
  const answer = await qmp.execute('human-monitor-command', { 'command-line': 'info registers' });
  return processorState(z.string().parse(answer));
};

/** What QEMU's threads have worked and waited for a processor (proc_pid_schedstat(5)). */
const loadOf = async (host: Host, directory: string): Promise<MachineLoad | null> => {
  const pid = (await host.files.readText(`${directory}/${machineFiles.pid}`))?.trim() ?? '';
  if (!/^\d+$/.test(pid)) return null;
  const tasks = (await host.files.list(`/proc/${pid}/task`)) ?? [];
  const texts = await Promise.all(
    // A thread may end while it is looked at.
    tasks.map((task) =>
      host.files.readText(`/proc/${pid}/task/${task}/schedstat`).catch(() => null),
    ),
  );
  const nanoseconds = texts.map((text) => (text ?? '').split(' ').map(Number));
  const sum = (field: number): number =>
    nanoseconds.reduce((total, fields) => total + (fields[field] ?? 0), 0) / 1e9;
  return tasks.length === 0 ? null : { worked: sum(0), waited: sum(1) };
};

const listen = async (
  qemu: QemuProcess,
  directory: string,
  channel: Channel,
  events: MachineEvents,
): Promise<Socket> => {
  const name = channel === 'system' ? machineFiles.console : machineFiles.firmware;
  const port = await connected(qemu, () => connectUnixSocket(`${directory}/${name}`));
  return (
    port
      .setEncoding('utf8')
      .on('data', (text: string) => events.onText(text, channel))
      // The machine's end closes it; that is told by `ended`.
      .on('error', () => {})
  );
};

/** Asks QEMU to end, then makes it. */
const quit = async (qemu: QemuProcess, qmp: Qmp): Promise<void> => {
  qemu.expectEnd();
  // The answer may be lost with the monitor itself.
  await qmp.execute('quit').catch(() => {});
  if (!(await waitUntil(async () => qemu.isOver(), quitMilliseconds))) await qemu.stop();
};

/**
 * Starts QEMU and connects its serial ports and its monitor. The machine waits until its ports are
 * read, so no line is lost.
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
  await host.files.writeBytes(`${directory}/${machineFiles.mirrorPort}`, mirrorPort, 0o600);
  const qemu = startQemu(host, machineArguments(plan), directory, signal);
  const connections = new AsyncDisposableStack();
  const heard = async (channel: Channel): Promise<Socket> => {
    const port = await listen(qemu, directory, channel, events);
    connections.defer(() => void port.destroy());
    return port;
  };
  try {
    const console = await heard('system');
    await heard('firmware');
    const monitor = `${directory}/${machineFiles.monitor}`;
    const qmp = connections.use(await connected(qemu, () => connectQmp(monitor, events.onEvent)));
    connections.defer(() => quit(qemu, qmp));
    return {
      ended: qemu.ended,
      processor: () => processor(qmp),
      type: (text) => void console.write(text),
      load: () => loadOf(host, directory),
      picture: (path) => picture(qmp, path),
      [Symbol.asyncDispose]: () => connections.disposeAsync(),
    };
  } catch (error) {
    await qemu.stop();
    await connections.disposeAsync();
    throw error;
  }
};
