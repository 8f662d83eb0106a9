import { Readable } from 'node:stream';
import { execa } from 'execa';
import { whyUntrusted } from './hook-files.ts';
import { lineSplitter } from './lines.ts';
import { plainText } from './plain-text.ts';
import { commandEnvironment } from './run-command.ts';

/** One executable of the person's own. */
export type HookCommand = {
  readonly stage: string;
  /** Absolute path of the executable. */
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
  /** Written to standard input, then closed. */
  readonly input: string;
  /** Seconds until its process group is ended. */
  readonly timeoutSeconds: number;
};

/** How a hook ended. */
export type HookRecord = {
  readonly stage: string;
  readonly path: string;
  readonly startedAt: Date;
  readonly milliseconds: number;
  /** Null when it was ended by a signal, could not be started, or was not run. */
  readonly exitCode: number | null;
  /** Why it did not do its work, as the end of a sentence; null when it ended with 0. */
  readonly failure: string | null;
  /** True when it was not run, because others than root could have changed it. */
  readonly refused: boolean;
  /** The last of what it printed, both streams, without what steers a terminal. */
  readonly output: readonly string[];
};

export type HookContext = {
  readonly extraEnv: Readonly<Record<string, string>>;
  readonly onHook: (record: HookRecord) => void;
  readonly onHookLine: (hook: HookCommand, line: string) => void;
  readonly signal: AbortSignal | undefined;
};

/** Lines kept for the transcript; a hook that prints more is shown in full and kept from its end. */
const keptLines = 500;
const keptLineLength = 2000;
/** Time to end by itself after SIGTERM before SIGKILL. */
const graceMilliseconds = 5000;
/** A hook that has ended may leave a daemon that holds its output open: it is not waited for. */
const drainMilliseconds = 500;

type Ended = { readonly exitCode: number | null; readonly failure: string | null };

const start = (hook: HookCommand, { extraEnv }: HookContext) =>
  execa(hook.path, [], {
    env: commandEnvironment({ ...extraEnv, ...hook.env }),
    extendEnv: false,
    cwd: '/',
    reject: false,
    // A process group of its own: the terminal's Ctrl-C does not hit it, the time limit does.
    detached: true,
    cleanup: false,
    buffer: false,
    input: hook.input,
    stdio: ['pipe', 'pipe', 'pipe'],
  });

type Started = ReturnType<typeof start>;

const killGroup = (child: Started, signal: NodeJS.Signals): void => {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // ESRCH: the group has ended in between, which is what was wanted.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};

/** Ends the process group at the time limit and when the job is stopped; returns what releases. */
const limit = (child: Started, hook: HookCommand, signal: AbortSignal | undefined) => {
  let why: string | null = null;
  let force: NodeJS.Timeout | undefined;
  const stop = (reason: string): void => {
    why ??= reason;
    killGroup(child, 'SIGTERM');
    force ??= setTimeout(() => killGroup(child, 'SIGKILL'), graceMilliseconds);
  };
  const onAbort = (): void => stop('it was stopped with the job');
  const limited = `it did not end within ${hook.timeoutSeconds} s and was stopped`;
  const timer = setTimeout(() => stop(limited), hook.timeoutSeconds * 1000);
  if (signal?.aborted) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  return (): string | null => {
    clearTimeout(timer);
    clearTimeout(force);
    signal?.removeEventListener('abort', onAbort);
    return why;
  };
};

/** Resolves when the process itself has ended and its output is read. */
const waitForEnd = (child: Started): Promise<Ended> =>
  new Promise((resolve) => {
    let ended: Ended = { exitCode: null, failure: null };
    const finish = (): void => {
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
      resolve(ended);
    };
    child.once('exit', (exitCode, signal) => {
      const failure =
        signal === null ? `it ended with exit code ${exitCode}` : `${signal} ended it`;
      ended = { exitCode, failure: exitCode === 0 ? null : failure };
      setTimeout(finish, drainMilliseconds);
    });
    child.once('close', finish);
    // Not started at all, for instance because its interpreter is missing.
    child.once('error', (error: NodeJS.ErrnoException) => {
      resolve({
        exitCode: null,
        failure: `it could not be started (${error.code ?? error.message})`,
      });
    });
    // execa's own promise says the same; it must not be an unhandled one.
    child.then(
      (result) => {
        if (child.pid !== undefined) return;
        resolve({
          exitCode: null,
          failure: `it could not be started (${result.code ?? 'unknown'})`,
        });
      },
      () => {},
    );
  });

const readLines = (child: Started, onLine: (line: string) => void): (() => void) => {
  const splitters = [child.stdout, child.stderr].map((stream) => {
    const splitter = lineSplitter((line) => {
      const text = plainText(line.slice(0, keptLineLength));
      if (text !== '') onLine(text);
    });
    if (stream instanceof Readable) {
      stream.setEncoding('utf8').on('data', (chunk: string) => splitter.push(chunk));
    }
    return splitter;
  });
  return () => {
    for (const splitter of splitters) splitter.end();
  };
};

/** Runs it to its end, or until its time is over. */
const runTrusted = async (hook: HookCommand, context: HookContext) => {
  const output: string[] = [];
  const child = start(hook, context);
  const release = limit(child, hook, context.signal);
  const flush = readLines(child, (line) => {
    output.push(line);
    if (output.length > keptLines) output.shift();
    context.onHookLine(hook, line);
  });
  const { exitCode, failure } = await waitForEnd(child);
  const stopped = release();
  // The leader of the group may be gone and others of it not.
  if (stopped !== null) killGroup(child, 'SIGKILL');
  flush();
  return { exitCode, failure: stopped ?? failure, refused: false, output };
};

/**
 * Runs one hook and says how it ended; never throws for what the hook does. One that others than
 * root could have changed is not run.
 */
export const runHook = async (hook: HookCommand, context: HookContext): Promise<HookRecord> => {
  const startedAt = new Date();
  const began = performance.now();
  const untrusted = await whyUntrusted(hook.path);
  const ended =
    untrusted === null
      ? await runTrusted(hook, context)
      : { exitCode: null, failure: untrusted, refused: true, output: [] };
  const milliseconds = performance.now() - began;
  const { stage, path } = hook;
  const record = { stage, path, startedAt, milliseconds, ...ended };
  context.onHook(record);
  return record;
};
