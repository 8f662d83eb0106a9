import type { Host } from '../host/host.ts';
import { RescueError } from '../host/rescue-error.ts';
import { type ChangeIntent, type ChangeRecord, parseChangeLog } from './change-record.ts';

type WithoutNumber<T> = T extends unknown ? Omit<T, 'number' | 'event' | 'at'> : never;

/** Where a session keeps what it changed, so that it can be taken back. */
export type ChangeLog = {
  /** Directory with the backups. */
  readonly directory: string;
  /** Number that the next change will have. */
  readonly next: () => number;
  /** On the disk before it returns: the change itself comes after. */
  readonly intend: (intent: WithoutNumber<ChangeIntent>) => Promise<number>;
  readonly done: (record: Omit<Extract<ChangeRecord, { event: 'done' }>, 'event'>) => Promise<void>;
  readonly undone: (number: number) => Promise<void>;
};

export const changeLogFile = (sessionDirectory: string): string =>
  `${sessionDirectory}/changes.jsonl`;

/** Opens the log of a session, with what stands in it from before. */
export const openChangeLog = async (host: Host, sessionDirectory: string): Promise<ChangeLog> => {
  const file = changeLogFile(sessionDirectory);
  const directory = `${sessionDirectory}/changes`;
  const { files } = host;
  await files.ensureDirectory(directory, 0o700);
  const text = (await files.readText(file)) ?? '';
  // A line that was cut off by a kill must not swallow the next one.
  if (text !== '' && !text.endsWith('\n')) await files.appendSynced(file, '\n');
  const before = parseChangeLog(text);
  let next = before.reduce((most, { intent }) => Math.max(most, intent.number), 0) + 1;
  const write = (record: ChangeRecord) => files.appendSynced(file, `${JSON.stringify(record)}\n`);
  return {
    directory,
    next: () => next,
    intend: async (intent) => {
      const number = next++;
      const at = host.now().toISOString();
      await write({ ...intent, event: 'intent', number, at } as ChangeIntent);
      return number;
    },
    done: (record) => write({ event: 'done', ...record }),
    undone: (number) => write({ event: 'undone', number, at: host.now().toISOString() }),
  };
};

/** The name and sum of a backup that was just written. @throws RescueError `BACKUP_FAILED` */
export const backupOf = async (
  host: Host,
  file: string,
): Promise<{ readonly file: string; readonly sha256: string }> => {
  const sha256 = (await host.files.entryState(file))?.sha256 ?? null;
  if (sha256 !== null) return { file, sha256 };
  throw new RescueError({
    code: 'BACKUP_FAILED',
    message: `The backup ${file} is not there after it was written; nothing was changed.`,
    hint: 'Is there room in the state directory? See --state-dir.',
  });
};
