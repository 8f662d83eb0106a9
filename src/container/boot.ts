import { type FifoReader, readFifo } from '../host/fifo.ts';
import type { Host } from '../host/host.ts';
import { lineSplitter } from '../host/lines.ts';
import { RescueError } from '../host/rescue-error.ts';
import {
  type BootReport,
  boundedText,
  consoleTail,
  eventCollector,
  type OnEvent,
  rebootExitCode,
} from './boot-report.ts';
import type { ContainerOptions } from './container-options.ts';
import { guestPipes } from './guest-scripts.ts';
import { type Cgroup, inCgroups, makeCgroups } from './limits.ts';
import { environmentSecrets, nspawnArguments } from './nspawn-arguments.ts';

export type BootRequest = {
  readonly options: ContainerOptions;
  /** Directory of the session with the FIFOs, as `prepareGuest` made it; null without scripts. */
  readonly guestDirectory: string | null;
  readonly cgroups: readonly Cgroup[];
  /** For systemd-nspawn itself, see `hierarchyEnvironment`. */
  readonly environment: Readonly<Record<string, string>>;
  /** Seconds until the unit must have been reached; 0 for no limit. */
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
  readonly onReached: (seconds: number) => void;
  /** Output of the command as it comes. */
  readonly onOutput: (stream: 'stdout' | 'stderr', chunk: Buffer) => void;
  /** Everything that the scripts inside tell, as it comes. */
  readonly onEvent?: OnEvent;
  /** A line of the console after which nothing more will come: ends the boot like the time limit. */
  readonly isLastWord?: (line: string) => boolean;
};

/**
 * Runs the container to its end. What the system inside reports comes through FIFOs from its own
 * units, so nothing of the disk runs outside the container and no port into it is opened.
 *
 * @throws RescueError `INTERRUPTED`, or `MISSING_PROGRAM` without systemd-nspawn. A boot that
 *   fails is no error here: the report says so.
 */
export const bootContainer = async (host: Host, request: BootRequest): Promise<BootReport> => {
  const began = performance.now();
  const stdout = boundedText();
  const stderr = boundedText();
  const journal = boundedText();
  const console_ = consoleTail();
  const timeout = new AbortController();
  let bootSeconds: number | null = null;
  const timer =
    request.timeoutSeconds > 0
      ? setTimeout(() => timeout.abort(), request.timeoutSeconds * 1000)
      : undefined;
  const events = eventCollector((state) => {
    clearTimeout(timer);
    if (state !== 'active' && state !== 'started') return;
    bootSeconds = (performance.now() - began) / 1000;
    request.onReached(bootSeconds);
  }, request.onEvent);
  const onConsole = (line: string): void => {
    console_.push(line);
    if (request.isLastWord?.(line) === true) timeout.abort();
  };
  const lines = lineSplitter(events.take);
  const sinks = {
    events: (chunk: Buffer) => lines.push(chunk.toString('utf8')),
    stdout: (chunk: Buffer) => {
      stdout.push(chunk);
      request.onOutput('stdout', chunk);
    },
    stderr: (chunk: Buffer) => {
      stderr.push(chunk);
      request.onOutput('stderr', chunk);
    },
    journal: journal.push,
  };
  const { guestDirectory } = request;
  const readers: readonly FifoReader[] =
    guestDirectory === null
      ? []
      : guestPipes.map((name) => readFifo(`${guestDirectory}/${name}`, sinks[name]));
  try {
    await makeCgroups(host, request.cgroups);
    const exitCode = await runNspawn(host, request, timeout.signal, onConsole);
    await Promise.all(readers.map((reader) => reader.finish()));
    lines.end();
    const seen = events.result();
    return {
      reachedTarget:
        seen.state === 'started' || guestDirectory === null ? null : seen.state === 'active',
      bootSeconds,
      failedUnits: seen.failedUnits,
      exec:
        seen.exitCode === null
          ? null
          : {
              exitCode: seen.exitCode,
              stdout: stdout.text(),
              stderr: stderr.text(),
              truncated: stdout.wasCut() || stderr.wasCut(),
            },
      emergency: seen.emergency,
      rebooted: exitCode === rebootExitCode,
      timedOut: timeout.signal.aborted,
      nspawnExitCode: exitCode,
      console: console_.lines(),
      journal: journal.text(),
    };
  } finally {
    clearTimeout(timer);
    for (const reader of readers) reader.close();
  }
};

const runNspawn = async (
  host: Host,
  request: BootRequest,
  timeout: AbortSignal,
  onLine: (line: string) => void,
): Promise<number> => {
  const words = ['systemd-nspawn', ...nspawnArguments(request.options)];
  const [program = '', ...args] = inCgroups(words, request.cgroups);
  try {
    const result = await host.run({
      program,
      args,
      // 1: the container failed or was ended by ^]^]^]; 133: reboot. The report tells which.
      accept: Array.from({ length: 256 }, (_, code) => code),
      timeoutSeconds: 0,
      signal: AbortSignal.any([request.signal, timeout]),
      onLine,
      terminal: request.options.console === 'interactive',
      secrets: environmentSecrets(request.options.environment),
      // nspawn takes from its own environment what it would tell the service manager.
      env: { SYSTEMD_LOG_TARGET: 'console', ...request.environment },
    });
    return result.exitCode;
  } catch (error) {
    // The time limit is an answer of the boot, the person's interruption is not.
    if (timeout.aborted && !request.signal.aborted && isInterrupted(error)) return -1;
    throw hasCode(error, 'COMMAND_FAILED') ? containerKilled(error) : error;
  }
};

/** Every exit status is accepted, so only a signal from outside leads here. */
const containerKilled = (cause: unknown): RescueError =>
  new RescueError({
    code: 'CONTAINER_KILLED',
    message: 'systemd-nspawn was killed while the system was running in it.',
    hint: 'Its container was stopped. Was it the kernel for lack of memory (dmesg), or another user of this machine?',
    cause,
  });

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof RescueError && error.code === code;

const isInterrupted = (error: unknown): boolean => hasCode(error, 'INTERRUPTED');
