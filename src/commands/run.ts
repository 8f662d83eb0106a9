import { type ExitCode, exitCode, messageOf, RescueError } from '../host/rescue-error.ts';
import { watchSignals } from '../host/signals.ts';
import { parseArguments } from './command-line.ts';
import { errorDocument } from './error-document.ts';

/** The one place where errors become words and exit codes. */
const report = (error: unknown, args: readonly string[]): ExitCode => {
  const known =
    error instanceof RescueError
      ? error
      : new RescueError({
          code: 'INTERNAL',
          message: messageOf(error),
          hint: 'This is a fault of rescuekit. Run again with --verbose and report it.',
          cause: error,
        });
  if (args.includes('--json')) {
    process.stdout.write(`${JSON.stringify(errorDocument(known), null, 2)}\n`);
  } else {
    process.stderr.write(
      `rescuekit: ${known.message}\n${known.hint === '' ? '' : `  ${known.hint}\n`}`,
    );
  }
  if (args.includes('--verbose')) process.stderr.write(`${traceOf(error)}\n`);
  return known.exit;
};

const traceOf = (error: unknown): string =>
  error instanceof Error
    ? `${error.stack}${error.cause === undefined ? '' : `\ncaused by: ${traceOf(error.cause)}`}`
    : String(error);

/**
 * Runs one command line to its end and returns the exit code. Never ends the process itself:
 * whatever is up must come down first.
 */
export const run = async (args: readonly string[]): Promise<ExitCode> => {
  const signals = watchSignals();
  try {
    return await parseArguments(args, signals.signal);
  } catch (error) {
    return signals.signal.aborted && !(error instanceof RescueError)
      ? exitCode.interrupted
      : report(error, args);
  } finally {
    signals.release();
  }
};
