import { z } from 'zod';
import { oncePer } from '../../host/once-per.ts';
import { plainText } from '../../host/plain-text.ts';
import { isInterruption, messageOf } from '../../host/rescue-error.ts';
import type { Subject } from '../subject.ts';

/** Bytes that are no UTF-8 come as a list of numbers, what is too long as null (systemd.journal-fields(7)). */
const fieldSchema = z.union([z.string(), z.array(z.number()), z.null()]).optional();

const entrySchema = z.object({
  __REALTIME_TIMESTAMP: z.string(),
  _BOOT_ID: z.string().optional(),
  MESSAGE: fieldSchema,
  MESSAGE_ID: fieldSchema,
  UNIT: fieldSchema,
  JOB_RESULT: fieldSchema,
  /** What systemd before 239 calls the same. */
  RESULT: fieldSchema,
  _TRANSPORT: fieldSchema,
});

/** One line of a log. */
export type LogEntry = {
  readonly at: Date;
  /** Null in a text log, which does not tell boots apart. */
  readonly bootId: string | null;
  readonly message: string;
  readonly messageId: string | null;
  /** Unit that it is about. */
  readonly unit: string | null;
  readonly jobResult: string | null;
  readonly fromKernel: boolean;
};

const text = (field: z.infer<typeof fieldSchema>): string | null => {
  if (Array.isArray(field)) return Buffer.from(field.map((byte) => byte & 0xff)).toString('utf8');
  return field ?? null;
};

const parseLine = (line: string): LogEntry | null => {
  try {
    const entry = entrySchema.parse(JSON.parse(line));
    const microseconds = Number(entry.__REALTIME_TIMESTAMP);
    if (!Number.isFinite(microseconds)) return null;
    return {
      at: new Date(Math.min(microseconds / 1000, 8.64e15)),
      bootId: entry._BOOT_ID ?? null,
      message: plainText(text(entry.MESSAGE) ?? '').slice(0, 500),
      messageId: text(entry.MESSAGE_ID),
      unit: text(entry.UNIT),
      jobResult: text(entry.JOB_RESULT) ?? text(entry.RESULT),
      fromKernel: text(entry._TRANSPORT) === 'kernel',
    };
  } catch {
    return null;
  }
};

/** Parses `journalctl --output=json`: one object a line; what is damaged is left out. */
export const parseJournal = (output: string): readonly LogEntry[] =>
  output.split('\n').flatMap((line) => (line === '' ? [] : (parseLine(line) ?? [])));

/**
 * The newest files of those that there are; journald closes one at 128 MiB at the latest. What is
 * asked for is found by the files' own index, so their size costs next to nothing.
 */
const maxFiles = 64;
/** Of one answer: what is asked for is seldom, and a machine that talks is not read to its end. */
const maxLines = 20_000;

const fields = 'MESSAGE,MESSAGE_ID,UNIT,JOB_RESULT,RESULT,_TRANSPORT,_BOOT_ID';

/** `system.journal` is the active one; the others end with sequence number and time of their start. */
const newestFirst = (one: string, other: string): number => {
  const key = (name: string): string => /-([0-9a-f]{16})\.journal~?$/.exec(name)?.[1] ?? 'z';
  return key(other).localeCompare(key(one));
};

/** Host paths of the journals of the system itself, the newest ones; regular files only. */
const journalFiles = async ({ files }: Subject): Promise<readonly string[]> => {
  const top = '/var/log/journal';
  const machines = ((await files.list(top)) ?? []).filter((name) => /^[0-9a-f]{32}$/.test(name));
  const lists = await Promise.all(
    machines
      .slice(0, 4)
      .map(async (machine) =>
        ((await files.list(`${top}/${machine}`)) ?? [])
          .filter((name) => /^system(?:@[0-9a-f-]+)?\.journal~?$/.test(name))
          .map((name) => ({ name, path: `${top}/${machine}/${name}` })),
      ),
  );
  const newest = lists
    .flat()
    .toSorted((one, other) => newestFirst(one.name, other.name))
    .slice(0, maxFiles);
  const entries = await Promise.all(newest.map(({ path }) => files.entry(path)));
  return entries.flatMap((entry) =>
    entry?.status.kind === 'file' && entry.status.sizeBytes > 0 ? [entry.hostPath] : [],
  );
};

/**
 * What is asked for: entries that fit one of the lists. Within a list each field must have one of
 * the values that are given for it (journalctl(1)).
 */
export type Matches = readonly (readonly string[])[];

export type Journal = {
  /** Entries that fit, the oldest first; of very many the newest ones. */
  readonly entries: (matches: Matches) => Promise<readonly LogEntry[]>;
  /** The last entry of all; null when nothing could be read. */
  readonly newest: LogEntry | null;
  /** Why nothing could be read although there are journals; null when all went well. */
  readonly problem: string | null;
};

/**
 * For checks that the journal only helps: when it gives no answer, because it takes too long or says
 * too much, they go on with `instead`.
 *
 * @throws RescueError `INTERRUPTED`.
 */
export const journalOr = async <T>(question: () => Promise<T>, instead: T): Promise<T> => {
  try {
    return await question();
  } catch (error) {
    if (isInterruption(error)) throw error;
    return instead;
  }
};

type Answer = { readonly entries: readonly LogEntry[]; readonly words: string };

const ask = async (
  { host }: Subject,
  paths: readonly string[],
  matches: Matches,
  lines: number,
): Promise<Answer> => {
  const { stdout, stderr } = await host.run({
    program: 'journalctl',
    args: [
      ...['--output=json', `--output-fields=${fields}`, `--lines=${lines}`],
      ...['--no-pager', '--quiet'],
      ...paths.map((path) => `--file=${path}`),
      ...matches.flatMap((match, index) => (index === 0 ? match : ['+', ...match])),
    ],
    // 1: one of the files could not be read to its end; what was printed before counts.
    accept: [0, 1],
    timeoutSeconds: 60,
    changes: false,
  });
  return { entries: parseJournal(stdout), words: plainText(stderr).slice(0, 200) };
};

const open = async (subject: Subject): Promise<Journal | null> => {
  const paths = await journalFiles(subject);
  if (paths.length === 0) return null;
  const entries = async (matches: Matches): Promise<readonly LogEntry[]> =>
    (await ask(subject, paths, matches, maxLines)).entries;
  try {
    const { entries: last, words } = await ask(subject, paths, [], 1);
    const newest = last.at(-1) ?? null;
    return { entries, newest, problem: newest === null ? words : null };
  } catch (error) {
    if (isInterruption(error)) throw error;
    return { entries, newest: null, problem: plainText(messageOf(error)).slice(0, 200) };
  }
};

/**
 * The system's journal, opened once for all checks and read with the host's own journalctl: nothing of
 * the disk runs. Null when the system keeps no journal on its disk.
 *
 * @throws RescueError `INTERRUPTED`; what else goes wrong is the journal's `problem`.
 */
export const openJournal = oncePer(({ files }: Subject) => files, open);
