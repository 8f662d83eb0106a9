import { plainText } from '../../../host/plain-text.ts';
import { consoleLines, isKernelLine } from './console-lines.ts';

/** `firmware`: what firmware and boot loader show on the screen; `system`: the serial console. */
export type Channel = 'firmware' | 'system';

const keptLines = 2000;
/** Lines by which one port may be ahead of the other. */
const repeatedWithin = 40;

/** A loader that writes to the screen and to the port is heard twice on EDK2's port. */
const doubled = /^(.{6,})\1$/;
const startJob = /A start job is running for (.*)$/;
const status = /\[ ?(?:OK|FAILED|DEPEND|TIME) ?\] /;
const trouble = /^\[ ?(?:FAILED|DEPEND|TIME) ?\] /;

/** What both serial ports wrote, as lines in the order in which they came. */
export type ConsoleMemory = {
  /** Takes text and returns the lines that are new with it. */
  readonly push: (chunk: string, channel: Channel) => readonly string[];
  /** What stands unfinished in the last line of a port. */
  readonly last: (channel: Channel) => string;
  readonly lines: () => readonly string[];
  /**
   * What stands unfinished on the system's port is answered. Nobody draws a passphrase that is typed;
   * what comes in its line all the same is not kept.
   */
  readonly answered: (secret: string) => void;
  /** The machine was reset: unfinished lines stay as they are, and nothing is written after them. */
  readonly cut: () => void;
  /** What systemd is waiting for, with its time, when that is the newest. */
  readonly waitingFor: () => string | null;
  /**
   * The last lines up to one of them (the first that is equal; null: up to the end), and before them
   * what failed earlier.
   */
  readonly upTo: (
    line: string | null,
    count: number,
    unfinished: readonly string[],
  ) => readonly string[];
};

export const consoleMemory = (): ConsoleMemory => {
  const input = { firmware: consoleLines(), system: consoleLines() };
  /** What came on one port and was not yet repeated on the other. */
  const told: Record<Channel, string[]> = { firmware: [], system: [] };
  let lines: string[] = [];
  let answer: { readonly question: string; readonly secret: string } | null = null;

  const withoutAnswer = (line: string): string => {
    if (answer === null) return line;
    const { question, secret } = answer;
    if (question !== '' && line.startsWith(question)) return question;
    // The kernel has ended the question's line before it was answered.
    return secret === '' ? line : line.replaceAll(secret, '(passphrase)');
  };
  /** The first line that the system itself ends after an answer is that of the question. */
  const afterAnswer = (line: string): string => {
    if (isKernelLine(line)) return line;
    const shown = withoutAnswer(line);
    answer = null;
    return shown;
  };

  /** EDK2, and loaders that were told to, write the same to both ports. */
  const isRepeated = (line: string, channel: Channel): boolean => {
    const there = told[channel === 'system' ? 'firmware' : 'system'];
    const at = there.indexOf(line);
    if (at >= 0) there.splice(0, at + 1);
    else told[channel].push(line);
    if (told[channel].length > repeatedWithin) told[channel].shift();
    return at >= 0;
  };
  const keep = (line: string): void => {
    // A line that is drawn over itself again and again would push out everything else.
    if (startJob.test(line) && startJob.test(lines.at(-1) ?? '')) lines.pop();
    if (line !== lines.at(-1)) lines.push(line);
    if (lines.length > keptLines) lines = lines.slice(-keptLines / 2);
  };
  return {
    push: (chunk, channel) => {
      const fresh = input[channel]
        .push(chunk)
        .map((line) => doubled.exec(line)?.[1] ?? line)
        .map((line) => (channel === 'system' ? afterAnswer(line) : line))
        .filter((line) => !isRepeated(line, channel));
      for (const line of fresh) keep(line);
      return fresh;
    },
    last: (channel) => {
      const last = input[channel].last();
      return channel === 'system' ? withoutAnswer(last) : last;
    },
    answered: (secret) => {
      answer = { question: input.system.last(), secret: plainText(secret) };
    },
    lines: () => lines,
    cut: () => {
      for (const port of [input.firmware, input.system]) {
        const rest = port.last();
        if (rest !== '') keep(rest);
        port.cut();
      }
    },
    waitingFor: () => {
      const last = lines.slice(-5);
      const at = last.findLastIndex((line) => startJob.test(line));
      // It is drawn anew every second while it is still so.
      const isOver = last.slice(at + 1).some((line) => status.test(line));
      return at < 0 || isOver ? null : (startJob.exec(last[at] ?? '')?.[1] ?? null);
    },
    upTo: (line, count, unfinished) => {
      const all = [...lines, ...unfinished].filter(
        (text, index, every) => text !== '' && text !== every[index - 1],
      );
      const at = line === null ? -1 : all.indexOf(line);
      const end = at < 0 ? all.length : at + 1;
      const begin = Math.max(end - count, 0);
      const earlier = all.slice(0, begin).filter((text) => trouble.test(text));
      return [...earlier.slice(-count), ...all.slice(begin, end)];
    },
  };
};
