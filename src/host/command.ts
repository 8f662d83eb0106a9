import type { RescueError } from './rescue-error.ts';

/** Where a line of a process comes from; `progress` is file descriptor 3. */
export type OutputStream = 'stdout' | 'stderr' | 'progress';

/** One process to run on the rescue host. Everything that rescuekit starts is described so. */
export type Command = {
  readonly program: string;
  /** One element per word; long option names, no shell. */
  readonly args: readonly string[];
  /** Exit codes that are an answer and not a failure. Default: `[0]`. */
  readonly accept?: readonly number[];
  /** Exit codes of which more is known than that they are a failure: the error of each. */
  readonly failures?: Readonly<Record<number, (words: string) => RescueError>>;
  /** Written to standard input, then closed. Never logged. Without it stdin is /dev/null. */
  readonly input?: string;
  /** Added to the allow-listed environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Seconds until the process group is killed. Default 120; 0 means no limit. */
  readonly timeoutSeconds?: number;
  /** Called with each piece of output as it arrives: `\r` and `\n` both end a line. */
  readonly onLine?: (line: string, stream: OutputStream) => void;
  /**
   * Gives the process a pipe as file descriptor 3; its lines reach `onLine` as `progress`. For
   * `e2fsck -C 3`, which on standard output would draw a bar with control characters.
   */
  readonly progressFd?: true;
  /**
   * False: output goes to `onLine` only and the result's `stdout` and `stderr` are empty. For
   * checkers, which print without bound on a badly damaged disk.
   */
  readonly keepOutput?: false;
  /** Texts among the words that no transcript and no message may show. */
  readonly secrets?: readonly string[];
  /** Connects the process to the person's terminal; output is then not captured. */
  readonly terminal?: boolean;
  /** Aborting sends SIGTERM to the process group and waits for its end. */
  readonly signal?: AbortSignal;
  /**
   * False for commands that only look. Commands that change something are part of the session's
   * transcript as a shell script; the others stand there as comments.
   */
  readonly changes?: boolean;
};

export type CommandResult = {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Wall-clock time in milliseconds. */
  readonly milliseconds: number;
};

/** A command that ended, as observers (transcript, `--verbose`) see it. */
export type CommandRecord = {
  readonly program: string;
  readonly args: readonly string[];
  readonly changes: boolean;
  readonly startedAt: Date;
  readonly milliseconds: number;
  /** Null when the program could not be started or was killed. */
  readonly exitCode: number | null;
  /** The exit code is among those that are an answer and not a failure. */
  readonly accepted: boolean;
  readonly stderr: string;
};

/** The text with each secret in it replaced; an empty secret hides nothing. */
export const withoutSecrets = (text: string, secrets: readonly string[]): string =>
  secrets
    .filter((secret) => secret !== '')
    .reduce((rest, secret) => rest.replaceAll(secret, '(secret)'), text);

/** The words of a command as a person could paste them into a shell. */
export const shellLine = (words: readonly string[]): string => words.map(shellQuote).join(' ');

/** Quotes one word for POSIX sh; plain words stay as they are. */
export const shellQuote = (word: string): string =>
  /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
