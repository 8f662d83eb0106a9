import { cutText } from '../output/text-width.ts';
import type { Ask, Choice } from './ask.ts';
import { answerOf, questionLines } from './ask.ts';
import { readKeys, withoutEcho } from './raw-keys.ts';

type Write = (text: string) => void;

const backspaces = new Set(['\b', '\u007f']);
const printable = /^[^\p{Control}]$/u;

/**
 * Reads a line with its own echo: nothing on the screen is ever drawn again.
 *
 * @param shown what is written for a character; nothing of a secret but that it was typed.
 */
const readLine = async (
  write: Write,
  signal: AbortSignal,
  shown: (key: string) => string = (key) => key,
): Promise<string> => {
  const typed: string[] = [];
  for (;;) {
    const keys = await readKeys(signal);
    // An arrow key and its like: a sequence that means nothing here.
    if (keys.startsWith('\u001b')) continue;
    for (const key of keys) {
      if (key === '\r' || key === '\n') {
        write('\n');
        return typed.join('');
      }
      if (backspaces.has(key)) {
        if (typed.pop() !== undefined) write('\b \b');
      } else if (printable.test(key)) {
        typed.push(key);
        write(shown(key));
      }
    }
  }
};

/** The choices with a number each; what cannot be chosen has none. */
export const numberedLines = (
  choices: readonly Choice<unknown>[],
  columns: number,
): readonly string[] => {
  let number = 0;
  return choices.map(({ name, disabled }) => {
    if (disabled !== null) return cutText(`     - ${name}  ${disabled}`, columns - 1, '...');
    number += 1;
    return cutText(`  ${String(number).padStart(4)} ${name}`, columns - 1, '...');
  });
};

/** Asks on a terminal that only prints (TERM=dumb): lines, numbers, single keys. */
export const plainAsk = (columns: number, write: Write, signal: AbortSignal): Ask => ({
  key: async (question) => {
    write(`  ? ${questionLines(question, columns - 7).join('\n    ')} `);
    for (;;) {
      const [pressed = ''] = await readKeys(signal);
      const key = answerOf(question, pressed);
      if (key === undefined) continue;
      write(`${key.key}\n`);
      return key.value;
    }
  },
  choose: async ({ message, choices }) => {
    const free = choices.filter(({ disabled }) => disabled === null);
    for (;;) {
      write(`${numberedLines(choices, columns).join('\n')}\n  ? ${message} (number, then Enter) `);
      const text = (await readLine(write, signal)).trim();
      const chosen = /^\d{1,4}$/.test(text) ? free[Number(text) - 1] : undefined;
      if (chosen !== undefined) return chosen.value;
      write(`    Give a number from 1 to ${free.length}.\n`);
    }
  },
  line: async ({ message, check }) => {
    for (;;) {
      write(`  ? ${message} `);
      const text = await readLine(write, signal);
      const problem = text.trim() === '' ? null : await check(text);
      if (problem === null) return text;
      write(`    ${problem}\n`);
    }
  },
  secret: ({ message }) =>
    withoutEcho(() => {
      write(`  ? ${message} `);
      return readLine(write, signal, () => '*');
    }),
});
