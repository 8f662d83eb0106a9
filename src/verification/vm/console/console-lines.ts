import { plainText } from '../../../host/plain-text.ts';

// biome-ignore-start lint/suspicious/noControlCharactersInRegex: a console is made of them

/**
 * The pieces of a console's text: a cursor placed (row; column), a screen cleared, a string for the
 * terminal, any other escape sequence (ECMA-48), a line's end, or text.
 */
const pieces =
  /\u001b\[\d*;?(?<column>\d*)[Hf]|(?<clear>\u001b\[[0-9]*J|\u001bc)|(?<other>\u001b[P\]^_X][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b\[[0-?]*[ -/]*[@-~]|\u001b\[[\d;]*(?=…)|\u001b[ -/]+[0-~]|\u001b[0-~]|\u001b)|(?<end>\r*\n|\r)|(?<text>[^\u001b\r\n]+)/g;

/** The beginning of a sequence, or a return that may be followed by a line feed. */
const unfinished = /(?:\u001b(?:\[[0-?]*[ -/]*|[P\]^_X][^\u0007\u001b]{0,512}\u001b?|[ -/]+)?|\r)$/;

// biome-ignore-end lint/suspicious/noControlCharactersInRegex: end of the console's own characters

/** The kernel writes wherever the cursor stands: its first line follows the boot loader's last. */
const kernelTime = /(?=\[ {0,4}\d+\.\d{6}\] )/;
const kernelBegun = /^\[ {0,4}\d+\.\d{6}\] /;

export const isKernelLine = (line: string): boolean => kernelBegun.test(line);

/** A line of systemd's, which it writes in one piece. */
const statusBegun = /^(?:\[[ A-Z*]{6}\] | {9}\S)/;

/** systemd cuts its lines in the middle of a colour; what is left of that is no text. */
const cutColour = /…(?:\[?[\d;]*m)/g;

/** A line longer than this is no text. */
const maxLine = 2000;

export type ConsoleLines = {
  /** Takes what came and returns the lines that it completed, cleaned and without empty ones. */
  readonly push: (chunk: string) => readonly string[];
  /** What stands in the last line, cleaned: a prompt, when nothing follows. */
  readonly last: () => string;
  /** The writer is gone in the middle of it: what stands in the last line is never ended. */
  readonly cut: () => void;
};

const clean = (line: string): string =>
  plainText(line.slice(0, maxLine).replaceAll(cutColour, '…'));

/** Lines with nothing but frames and bars are drawings. */
const hasWords = (line: string): boolean => /[\p{L}\p{N}#>]/u.test(line);

/**
 * Makes lines of what a machine writes to its serial console, from firmware to login. A cursor that
 * is placed somewhere else ends a line: GRUB and EDK2 draw their text that way. Placed where it is
 * anyhow it means nothing: SeaBIOS does that in the middle of words. Carriage returns end a line
 * too: systemd draws its waiting over itself. The kernel writes to the port past the terminal's
 * buffer (drivers/tty/serial/8250, `serial8250_console_write`), so its lines come in the middle of
 * one of systemd's, whose rest follows them: such a line is made whole again.
 */
export const consoleLines = (): ConsoleLines => {
  let held = '';
  let line = '';
  /** Column, from 0, in which the line began. */
  let start = 0;
  /** Where the cursor was placed, until text follows. */
  let placed: number | null = null;
  /** The beginning of a line of systemd's that the kernel came into. */
  let broken = '';
  /** The lines in what stood in one, with the kernel's apart. */
  const apart = (text: string): readonly string[] => {
    const [own = '', ...kernels] = text.split(kernelTime);
    if (kernelBegun.test(own)) return [own, ...kernels];
    const isRest = own !== '' && !statusBegun.test(own);
    const lines = isRest ? [broken + own] : [broken, own];
    const isBroken = kernels.length > 0 && statusBegun.test(lines.at(-1) ?? '');
    broken = isBroken ? (lines.pop() ?? '') : '';
    return [...lines, ...kernels];
  };
  return {
    push: (chunk) => {
      const text = held + chunk;
      held = unfinished.exec(text)?.[0] ?? '';
      const done: string[] = [];
      const end = (column: number) => {
        done.push(...apart(line));
        line = '';
        start = column;
        placed = null;
      };
      for (const { groups = {} } of text.slice(0, text.length - held.length).matchAll(pieces)) {
        if (groups.column !== undefined) placed = Number(groups.column || 1) - 1;
        else if (groups.clear !== undefined || groups.end !== undefined) end(0);
        else if (groups.text !== undefined) {
          if (placed !== null && placed !== start + line.length) end(placed);
          placed = null;
          line += groups.text;
          if (line.length > maxLine) end(0);
        }
      }
      const [before = '', ...rest] = line.split(kernelTime);
      if (before !== '' && rest.length > 0) {
        const kernel = rest.join('');
        done.push(...apart(line).slice(0, -rest.length));
        line = kernel;
      }
      return done.map(clean).filter(hasWords);
    },
    last: () => clean(line),
    cut: () => {
      held = '';
      line = '';
      broken = '';
      start = 0;
      placed = null;
    },
  };
};
