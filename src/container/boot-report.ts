import { z } from 'zod';
import { plainText } from '../host/plain-text.ts';

/** What a boot in the container came to. */
export const bootReportSchema = z.object({
  /** The unit was active; null for a system without systemd, whose shell just runs. */
  reachedTarget: z.boolean().nullable(),
  /** Seconds from the start of systemd-nspawn until the unit was reached; null if it was not. */
  bootSeconds: z.number().nullable(),
  /** Units that had failed by then. */
  failedUnits: z.array(z.string()).readonly(),
  exec: z
    .object({
      exitCode: z.int(),
      stdout: z.string(),
      stderr: z.string(),
      /** Only the first 8 MiB of a stream are kept here; without --json all of it is passed on. */
      truncated: z.boolean(),
    })
    .nullable(),
  /** systemd gave up and went into its emergency mode. */
  emergency: z.boolean(),
  /** The system asked for a reboot when it ended. */
  rebooted: z.boolean(),
  timedOut: z.boolean(),
  /** Exit status of systemd-nspawn. */
  nspawnExitCode: z.int(),
  /** Last lines of the console, without control characters; empty on an interactive console. */
  console: z.array(z.string()).readonly(),
  /** The journal of this boot where it was asked for or something failed. */
  journal: z.string(),
});

export type BootReport = Readonly<z.infer<typeof bootReportSchema>>;

/** nspawn's exit status for "please start me again" when it keeps the unit of its caller. */
export const rebootExitCode = 133;

const keptLines = 200;
const keptBytes = 8 * 1024 * 1024;

/** Collects text up to a bound; a container may write without end. */
export const boundedText = () => {
  const chunks: Buffer[] = [];
  let size = 0;
  let cut = false;
  return {
    push: (chunk: Buffer): void => {
      const room = keptBytes - size;
      if (chunk.length > room) cut = true;
      if (room <= 0) return;
      chunks.push(chunk.subarray(0, room));
      size += Math.min(chunk.length, room);
    },
    wasCut: (): boolean => cut,
    text: (): string => Buffer.concat(chunks).toString('utf8'),
  };
};

/** One line that a script in the container tells: a word and what it is about. */
export type OnEvent = (word: string, value: string) => void;

/** What the scripts in the container tell on the events FIFO, line by line. */
export const eventCollector = (onState: (state: string) => void, onEvent: OnEvent = () => {}) => {
  const failedUnits: string[] = [];
  let exitCode: number | null = null;
  let emergency = false;
  let state: string | null = null;
  const take = (line: string): void => {
    const [word = '', value = ''] = plainText(line).split(' ', 2);
    onEvent(word, value);
    // A later shell of the same boot tells again; the first one says what the boot came to.
    if (word === 'state' && state === null) {
      state = value;
      onState(value);
    } else if (word === 'failed' && failedUnits.length < 100) failedUnits.push(value);
    else if (word === 'exit' && /^\d{1,3}$/.test(value)) exitCode = Number(value);
    else if (word === 'emergency') emergency = true;
  };
  return { take, result: () => ({ failedUnits, exitCode, emergency, state }) };
};

/** The last lines of a console, cleaned. */
export const consoleTail = () => {
  const lines: string[] = [];
  return {
    push: (line: string): void => {
      const clean = plainText(line).trimEnd();
      if (clean === '') return;
      lines.push(clean);
      if (lines.length > keptLines) lines.shift();
    },
    lines: (): readonly string[] => lines,
  };
};
