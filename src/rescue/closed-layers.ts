import { plainText } from '../host/plain-text.ts';
import { exitCode, RescueError } from '../host/rescue-error.ts';
import type { ClosedLayer } from '../storage/layer.ts';

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

const asSentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

const hintOf = ({ code, option, layer }: ClosedLayer): string => {
  if (code === 'ENCRYPTED' && option !== null) {
    return `Give its passphrase with ${option} FILE (- is standard input) or a key file with --key-file FILE, or run this on a terminal without --yes to be asked.`;
  }
  if (code === 'WRONG_PASSPHRASE') {
    return 'Look at keyboard layout, capitals and blanks at the end, or name another file: --passphrase-file FILE, --key-file FILE.';
  }
  if (code === 'MISSING_PROGRAM') return 'Install the program, and run this again.';
  if (option !== null) return `Add ${option} to open it all the same.`;
  return layer === 'luks'
    ? 'If you can open it by hand, name the open device instead.'
    : 'Run again with --verbose to see each command.';
};

/** What stays closed, with the reason and the option that opens it, in one line. */
export const closedText = ({ what, why, option }: ClosedLayer): string =>
  plainText(
    `${capital(what)} stays closed. ${asSentence(why)}${option === null ? '' : ` Option: ${option}.`}`,
  );

/**
 * The error when no system was found and a layer stayed closed. Exit code 2 when an option would
 * have opened it: a command that would have to ask fails as wrong use.
 */
export const closedError = (closed: ClosedLayer): RescueError =>
  new RescueError({
    code: closed.code,
    message: plainText(
      `${capital(closed.what)} stays closed, and no system was found outside of it. ${asSentence(closed.why)}`,
    ),
    hint: hintOf(closed),
    exit: closed.option === null ? exitCode.failed : exitCode.usage,
  });
