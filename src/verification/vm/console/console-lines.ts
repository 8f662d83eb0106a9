import { plainText } from '../../../host/plain-text.ts';

// biome-ignore-start lint/suspicious/noControlCharactersInRegex: a console is made of them

/** Device control, operating system command, privacy message: a string up to BEL or ST. */
const strings = /\u001b[P\]^_X][^\u0007\u001b]*(?:\u0007|\u001b\\)/g;

/** What moves the cursor elsewhere ends a line: GRUB and EDK2 draw their text that way. */
const moves = /\u001b\[[0-9;]*[HfJ]|\u001bc/g;

/** All other escape sequences (ECMA-48), charset choices and single letters. */
const others = /\u001b\[[0-?]*[ -/]*[@-~]|\u001b[ -/]+[0-~]|\u001b[0-~]/g;

/** The beginning of a sequence, or a return that may be followed by a line feed. */
const unfinished = /(?:\u001b(?:\[[0-?]*[ -/]*|[P\]^_X][^\u0007\u001b]{0,512}\u001b?|[ -/]+)?|\r)$/;

// biome-ignore-end lint/suspicious/noControlCharactersInRegex: end of the console's own characters

/** A line longer than this is no text. */
const maxLine = 2000;

export type ConsoleLines = {
  /** Takes what came and returns the lines that it completed, cleaned and without empty ones. */
  readonly push: (chunk: string) => readonly string[];
  /** What stands in the last line, cleaned: a prompt, when nothing follows. */
  readonly last: () => string;
};

/**
 * Makes lines of what a machine writes to its serial console, from firmware to login. Carriage
 * returns end a line too: systemd draws its waiting over itself.
 */
export const consoleLines = (): ConsoleLines => {
  let held = '';
  let line = '';
  return {
    push: (chunk) => {
      const text = held + chunk;
      held = unfinished.exec(text)?.[0] ?? '';
      const flat = text
        .slice(0, text.length - held.length)
        .replace(strings, '')
        .replace(moves, '\n')
        .replace(others, '');
      const parts = (line + flat).split(/\r*\n|\r/);
      line = parts.pop() ?? '';
      if (line.length > maxLine) {
        parts.push(line);
        line = '';
      }
      return parts.map((part) => plainText(part.slice(0, maxLine))).filter((part) => part !== '');
    },
    last: () => plainText(line),
  };
};
