import type { CheckProgress } from '../filesystems/file-system.ts';

/** Detail of a task as it runs, for instance "pass 2 of 5". */
export type TaskUpdate = (progress: CheckProgress) => void;

/**
 * How a job tells what it is doing. The rooms below know nothing of terminals: a command or the
 * wizard passes in what shows it.
 */
export type Observer = {
  /** Shows `title` while the work runs, then `done` (or the title) with the time it took. */
  readonly task: <T>(
    title: string,
    work: (update: TaskUpdate) => Promise<T>,
    done?: (result: T) => string,
  ) => Promise<T>;
  /** Takes the display of a running task off the screen while a question is asked in its midst. */
  readonly pause: <T>(ask: () => Promise<T>) => Promise<T>;
  /** Something that the person should know and that does not stop the job. */
  readonly warn: (text: string) => void;
  readonly note: (text: string) => void;
};
