/** Exit codes of the command line; documented in docs/reference/exit-codes.md. */
export const exitCode = {
  done: 0,
  failed: 1,
  usage: 2,
  problems: 3,
  refused: 4,
  leftBehind: 5,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

/** What a person or a script needs to act on a failure. */
export type RescueErrorDetails = {
  /** Stable identifier in capitals, part of the JSON interface. */
  readonly code: string;
  /** What happened, one sentence, without a stack trace. */
  readonly message: string;
  /** What to do next; empty when nothing can be said. */
  readonly hint?: string;
  /** Exit code of the process when this error ends the command. */
  readonly exit?: ExitCode;
  readonly cause?: unknown;
};

/** The one error type: a code, what happened, and what to do next. */
export class RescueError extends Error {
  readonly code: string;
  readonly hint: string;
  readonly exit: ExitCode;

  constructor(details: RescueErrorDetails) {
    super(details.message, details.cause === undefined ? {} : { cause: details.cause });
    this.name = 'RescueError';
    this.code = details.code;
    this.hint = details.hint ?? '';
    this.exit = details.exit ?? exitCode.failed;
  }
}

/** Wrong use of the command line: exit code 2, raised before anything is touched. */
export const usageError = (message: string, hint = ''): RescueError =>
  new RescueError({ code: 'USAGE', message, hint, exit: exitCode.usage });

/** A refusal for safety: exit code 4. */
export const refusal = (code: string, message: string, hint = ''): RescueError =>
  new RescueError({ code, message, hint, exit: exitCode.refused });

/** The message of anything that was thrown. */
export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** The same as the reason in another sentence: without its full stop. */
export const reasonOf = (error: unknown): string => messageOf(error).replace(/\.$/, '');

/** The person or a signal has stopped the work: that is never turned into something else. */
export const isInterruption = (error: unknown): boolean =>
  error instanceof RescueError && error.code === 'INTERRUPTED';
