import { z } from 'zod';
import type { Files } from '../host/files.ts';
import { type UndoAction, undoActionSchema } from '../host/undo-action.ts';

/**
 * The write-ahead journal: one JSON line an event. `intent` stands on disk before its step runs,
 * so whatever moment the process dies at, what may have been put up is known.
 *
 * Lines are not fsynced: a `kill -9` loses nothing that was written, and a power cut of the rescue
 * host takes the mounts and devices with it. But for one: a disk that is half written is so
 * afterwards, too.
 */
const journalLineSchema = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('intent'),
    step: z.int(),
    title: z.string(),
    undo: undoActionSchema,
    at: z.string(),
  }),
  z.object({ event: z.literal('undone'), step: z.int(), at: z.string() }),
]);

type JournalLine = z.infer<typeof journalLineSchema>;

/** Something that was put up, or was about to be, and has not been taken down. */
export type OpenStep = {
  readonly step: number;
  readonly title: string;
  readonly undo: UndoAction;
};

export type Journal = {
  /** Writes the undo down; the step may run after this resolves. Returns the step's number. */
  readonly intend: (title: string, undo: UndoAction) => Promise<number>;
  readonly markUndone: (step: number) => Promise<void>;
  /** The number that the next step will have. */
  readonly next: () => number;
  /** What is still up, the newest first: the order in which it comes down. */
  readonly open: () => readonly OpenStep[];
};

/** Steps that were intended and not undone, newest first. A cut-off last line is no event. */
export const openSteps = (text: string): readonly OpenStep[] => {
  const open = new Map<number, OpenStep>();
  for (const line of text.split('\n')) {
    const event = parseJournalLine(line);
    if (event === null) continue;
    const { step } = event;
    if (event.event === 'undone') open.delete(step);
    else open.set(step, { step, title: event.title, undo: event.undo });
  }
  return [...open.values()].reverse();
};

const parseJournalLine = (line: string): JournalLine | null => {
  if (line === '') return null;
  try {
    return journalLineSchema.parse(JSON.parse(line));
  } catch {
    // Only a write that was cut off by a kill leaves such a line, and its step has not run.
    return null;
  }
};

/** Opens the journal at `path`, reading what stands there from an earlier process. */
export const openJournal = async (
  files: Files,
  path: string,
  now: () => Date,
): Promise<Journal> => {
  const text = (await files.readText(path)) ?? '';
  const open = new Map(
    openSteps(text)
      .map((step) => [step.step, step] as const)
      .reverse(),
  );
  let next = text.split('\n').length;
  // A line cut off by a kill must not swallow the next one.
  let last = text === '' || text.endsWith('\n') ? Promise.resolve() : files.append(path, '\n');
  const write = (line: JournalLine): Promise<void> => {
    const outlives = line.event === 'intent' && line.undo.kind === 'finish-merge';
    const append = outlives ? files.appendSynced : files.append;
    // One writer at a time: two steps may run side by side, their lines must not mix.
    last = last.then(() => append(path, `${JSON.stringify(line)}\n`));
    return last;
  };
  return {
    intend: async (title, undo) => {
      const step = next++;
      open.set(step, { step, title, undo });
      await write({ event: 'intent', step, title, undo, at: now().toISOString() });
      return step;
    },
    markUndone: async (step) => {
      open.delete(step);
      await write({ event: 'undone', step, at: now().toISOString() });
    },
    next: () => next,
    open: () => [...open.values()].reverse(),
  };
};
