import { Readable } from 'node:stream';
import { execa } from 'execa';
import { type Command, type CommandRecord, type CommandResult, withoutSecrets } from './command.ts';
import { lineSplitter } from './lines.ts';
import { missingProgram } from './packages.ts';
import { plainText } from './plain-text.ts';
import { RescueError } from './rescue-error.ts';

/** Output kept per stream; more than this is a runaway program, not an answer. */
const maxOutputBytes = 64 * 1024 * 1024;
const defaultTimeoutSeconds = 120;
/** Time a process has to end by itself after SIGTERM before SIGKILL. fsck flushes in this time. */
const graceMilliseconds = 10_000;

export type RunContext = {
  readonly onCommand: (record: CommandRecord) => void;
  readonly extraEnv: Readonly<Record<string, string>>;
  readonly osRelease: () => Promise<string>;
};

/** Only what tools need to find themselves; nothing from the person's locale changes their output. */
export const commandEnvironment = (
  more: Readonly<Record<string, string>>,
): Record<string, string> => ({
  PATH: `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin`,
  HOME: process.env.HOME ?? '/root',
  LANG: 'C.UTF-8',
  LC_ALL: 'C.UTF-8',
  // Where btrfs and others would leave libblkid's cache: it is never read here, only written.
  BLKID_FILE: '/dev/null',
  ...(process.env.TERM === undefined ? {} : { TERM: process.env.TERM }),
  ...more,
});

const killGroup = (pid: number | undefined, signal: NodeJS.Signals): void => {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // ESRCH: the group has ended in between, which is what was wanted.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};

/**
 * A process that has its own group is not hit by the terminal's Ctrl-C: rescuekit decides what is
 * stopped and waits for it. A process on the terminal must stay in the foreground group.
 */
const start = (command: Command, context: RunContext) => {
  const keepOutput = command.keepOutput !== false;
  return execa(command.program, [...command.args], {
    env: commandEnvironment({ ...context.extraEnv, ...command.env }),
    extendEnv: false,
    reject: false,
    detached: command.terminal !== true,
    cleanup: false,
    maxBuffer: maxOutputBytes,
    buffer: {
      stdout: keepOutput,
      stderr: keepOutput,
      ...(command.progressFd === true ? { fd3: false } : {}),
    },
    ...(command.input === undefined ? {} : { input: command.input }),
    stdio: streams(command),
  });
};

/** Standard input, output, error and, when asked for, the progress pipe as descriptor 3. */
const streams = (command: Command): readonly [In, Out, Out, ...'pipe'[]] => {
  if (command.terminal === true) return ['inherit', 'inherit', 'inherit'];
  const stdin = command.input === undefined ? 'ignore' : 'pipe';
  return [stdin, 'pipe', 'pipe', ...(command.progressFd === true ? (['pipe'] as const) : [])];
};

type In = 'inherit' | 'ignore' | 'pipe';
type Out = 'inherit' | 'pipe';

type Started = ReturnType<typeof start>;

/** Wires the time limit and the abort signal to the process group; returns what undoes that. */
const limit = (command: Command, child: Started): (() => boolean) => {
  let timedOut = false;
  let force: NodeJS.Timeout | undefined;
  const stop = () => {
    if (command.terminal === true) child.kill('SIGTERM');
    else killGroup(child.pid, 'SIGTERM');
    force = setTimeout(() => {
      if (command.terminal === true) child.kill('SIGKILL');
      else killGroup(child.pid, 'SIGKILL');
    }, graceMilliseconds);
  };
  const seconds = command.terminal === true ? 0 : (command.timeoutSeconds ?? defaultTimeoutSeconds);
  const timer =
    seconds > 0
      ? setTimeout(() => {
          timedOut = true;
          stop();
        }, seconds * 1000)
      : undefined;
  if (command.signal?.aborted) stop();
  command.signal?.addEventListener('abort', stop, { once: true });
  return () => {
    clearTimeout(timer);
    clearTimeout(force);
    command.signal?.removeEventListener('abort', stop);
    return timedOut;
  };
};

const forwardLines = (command: Command, child: Started): (() => void) => {
  const { onLine } = command;
  const sources = { stdout: child.stdout, stderr: child.stderr, progress: child.stdio.at(3) };
  // A pipe that nobody reads fills up and stops the process.
  if (onLine === undefined) {
    if (sources.progress instanceof Readable) sources.progress.resume();
    return () => {};
  }
  const splitters = (['stdout', 'stderr', 'progress'] as const).map((name) => {
    const splitter = lineSplitter((line) => onLine(line, name));
    const source = sources[name];
    if (source instanceof Readable) {
      source.setEncoding('utf8').on('data', (chunk: string) => splitter.push(chunk));
    }
    return splitter;
  });
  return () => {
    for (const splitter of splitters) splitter.end();
  };
};

/**
 * `mount: /x: wrong fs type` is worth more to a person than "exit code 32". What steers a terminal
 * is taken out: programs repeat names from the disk, and a container writes what it likes.
 */
const lastWords = (stderr: string, stdout: string): string =>
  (stderr.trim() || stdout.trim()).split('\n').slice(-4).map(plainText).join(' · ').slice(0, 600);

/**
 * Runs one process to its end and returns what it said.
 *
 * @throws RescueError `MISSING_PROGRAM`, `TIMEOUT`, `INTERRUPTED` (the signal was aborted) or
 *   `COMMAND_FAILED`, or what `failures` says, when the exit code is not among `accept`. An exit
 *   status is never ignored.
 */
export const runCommand = async (command: Command, context: RunContext): Promise<CommandResult> => {
  const startedAt = new Date();
  const began = performance.now();
  const child = start(command, context);
  const release = limit(command, child);
  const flush = forwardLines(command, child);
  const result = await child;
  const timedOut = release();
  flush();
  const milliseconds = performance.now() - began;
  const secrets = command.secrets ?? [];
  const stderr = typeof result.stderr === 'string' ? result.stderr : '';
  const stdout = typeof result.stdout === 'string' ? result.stdout : '';
  context.onCommand({
    program: command.program,
    args: command.args.map((word) => withoutSecrets(word, secrets)),
    changes: command.changes ?? true,
    startedAt,
    milliseconds,
    exitCode: result.exitCode ?? null,
    accepted: (command.accept ?? [0]).includes(result.exitCode ?? -1),
    stderr: withoutSecrets(stderr, secrets),
  });
  if (result.code === 'ENOENT') {
    throw missingProgram(command.program, await context.osRelease(), result);
  }
  if (command.signal?.aborted) throw interruptedError();
  if (timedOut) throw timeoutError(command);
  const exit = result.exitCode ?? -1;
  if (!(command.accept ?? [0]).includes(exit)) {
    const words = withoutSecrets(lastWords(stderr, stdout), secrets);
    throw command.failures?.[exit]?.(words) ?? failedError(command, exit, result.signal, words);
  }
  return { exitCode: exit, stdout, stderr, milliseconds };
};

/** The error of work that was cancelled by a signal or by the person. */
export const interruptedError = (): RescueError =>
  new RescueError({ code: 'INTERRUPTED', message: 'Interrupted.', exit: 130 });

const timeoutError = (command: Command): RescueError =>
  new RescueError({
    code: 'TIMEOUT',
    message: `${command.program} did not end within ${command.timeoutSeconds ?? defaultTimeoutSeconds} s and was stopped.`,
    hint: 'Look at the kernel log (dmesg) for input/output errors of the disk.',
  });

const failedError = (
  command: Command,
  exit: number,
  signal: string | undefined,
  words: string,
): RescueError =>
  new RescueError({
    code: 'COMMAND_FAILED',
    message: `${command.program} ${signal === undefined ? `failed with exit code ${exit}` : `was ended by ${signal}`}${words === '' ? '.' : `: ${words}`}`,
    hint: 'Run again with --verbose to see each command.',
  });
