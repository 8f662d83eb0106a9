import { z } from 'zod';
import { entryStateSchema } from '../host/entry-state.ts';

/** A backup in the session's directory, off the target. */
const backupSchema = z.object({ file: z.string(), sha256: z.string() });

/** What an entry is to become; times and attributes are set on the way. */
const expectedSchema = entryStateSchema.pick({ kind: true, sha256: true, linkTarget: true });

export type ExpectedState = Readonly<z.infer<typeof expectedSchema>>;

const entryIntentSchema = z.object({
  event: z.literal('intent'),
  number: z.int(),
  kind: z.literal('entry'),
  /** Path inside the system with no link in its directory part. */
  path: z.string(),
  /** Null: there was nothing. */
  before: entryStateSchema.nullable(),
  /** Null: it is to be removed. Not there in the records of earlier versions. */
  expected: expectedSchema.nullable().optional(),
  backup: backupSchema.nullable(),
  /**
   * Whether it is on the root's own file system and not on a part that is mounted below. Not there
   * in the records of earlier versions.
   */
  onRoot: z.boolean().optional(),
  /** Flags that were set (`i`, `a`), see chattr(1). */
  flags: z.string(),
  /** Times of the directory that holds it. */
  directory: z.object({ path: z.string(), modified: z.string(), accessed: z.string() }),
  at: z.string(),
});

const bytesIntentSchema = z.object({
  event: z.literal('intent'),
  number: z.int(),
  kind: z.literal('bytes'),
  /** Which of the system's disks, in the order in which they were attached. */
  disk: z.int(),
  diskBytes: z.int(),
  /** UUIDs of what was on the disk. Not there in the records of earlier versions. */
  marks: z.array(z.string()).readonly().optional(),
  /** Number of the partition; null for the disk itself. */
  partition: z.int().nullable(),
  offsetBytes: z.int(),
  length: z.int(),
  what: z.string(),
  backup: backupSchema,
  /** What is to stand there. Not there in the records of earlier versions. */
  written: backupSchema.optional(),
  at: z.string(),
});

const fsckIntentSchema = z.object({
  event: z.literal('intent'),
  number: z.int(),
  kind: z.literal('fsck'),
  /** UUID of the file system: the device may be called otherwise the next time. */
  uuid: z.string(),
  device: z.string(),
  undoFile: z.string(),
  at: z.string(),
});

const doneSchema = z.object({
  event: z.literal('done'),
  number: z.int(),
  /** Of an entry; null when it was removed, and for bytes. */
  after: entryStateSchema.nullable(),
  /** Of bytes. */
  sha256: z.string().nullable(),
});

const undoneSchema = z.object({ event: z.literal('undone'), number: z.int(), at: z.string() });

/** What a session changed on the target, a line each: `changes.jsonl` in its directory. */
const recordSchema = z.union([
  z.discriminatedUnion('kind', [entryIntentSchema, bytesIntentSchema, fsckIntentSchema]),
  z.discriminatedUnion('event', [doneSchema, undoneSchema]),
]);

export type ChangeRecord = z.infer<typeof recordSchema>;
export type ChangeIntent = Extract<ChangeRecord, { event: 'intent' }>;
export type EntryIntent = Extract<ChangeIntent, { kind: 'entry' }>;
export type BytesIntent = Extract<ChangeIntent, { kind: 'bytes' }>;
export type FsckIntent = Extract<ChangeIntent, { kind: 'fsck' }>;
export type ChangeDone = Extract<ChangeRecord, { event: 'done' }>;

/** One change with what became of it. */
export type RecordedChange = {
  readonly intent: ChangeIntent;
  /** Null: the process died in its midst. */
  readonly done: ChangeDone | null;
  readonly undone: boolean;
};

/** Parses a change log; a last line that a power cut left half written is not there. */
export const parseChangeLog = (text: string): readonly RecordedChange[] => {
  const changes = new Map<number, RecordedChange>();
  for (const line of text.split('\n')) {
    const record = parseLine(line);
    if (record === null) continue;
    if (record.event === 'intent') {
      changes.set(record.number, { intent: record, done: null, undone: false });
      continue;
    }
    const change = changes.get(record.number);
    if (change === undefined) continue;
    changes.set(
      record.number,
      record.event === 'done' ? { ...change, done: record } : { ...change, undone: true },
    );
  }
  return [...changes.values()];
};

const parseLine = (line: string): ChangeRecord | null => {
  if (line === '') return null;
  try {
    return recordSchema.parse(JSON.parse(line));
  } catch {
    return null;
  }
};
