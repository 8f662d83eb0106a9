import { z } from 'zod';
import type { Files } from '../host/files.ts';
import { RescueError } from '../host/rescue-error.ts';
import { reportSchema } from './report.ts';

/** How the disks are kept from being written. */
export const meansSchema = z.enum(['snapshot', 'overlay']);

export type Means = z.infer<typeof meansSchema>;

/**
 * `up`: the session works on it, or was killed. `kept`: it waits for a decision. `committing` and
 * `undoing`: the disks are being written, and must be written to the end.
 */
export const phaseSchema = z.enum(['up', 'kept', 'committing', 'committed', 'undoing', 'dropped']);

export type Phase = z.infer<typeof phaseSchema>;

export const layeredDiskSchema = z.object({
  /** Part of the names of its files. */
  number: z.int(),
  /** As it was named: `/dev/vdb`, or an image file. */
  name: z.string(),
  /** Node, or the file with all links resolved. */
  path: z.string(),
  kind: z.enum(['disk', 'image']),
  serial: z.string().nullable(),
  sizeBytes: z.int(),
  /** UUIDs of what is on it, by which it is known again without a serial number. */
  marks: z.array(z.string()).readonly().optional(),
});

export type LayeredDisk = Readonly<z.infer<typeof layeredDiskSchema>>;

const recordSchema = z.object({
  version: z.literal(1),
  means: meansSchema,
  phase: phaseSchema,
  /** What was named, and with it. */
  target: z.string(),
  withDisks: z.array(z.string()).readonly(),
  /** Name of the system among several; null when there is one only. */
  system: z.string().nullable(),
  /** Pretty name and host name. */
  title: z.string(),
  /** Of a snapshot the disks, of an overlay none. */
  disks: z.array(layeredDiskSchema).readonly(),
  /** Null until the work on the layer has ended. */
  report: reportSchema.nullable(),
  /** What a forced undo could not put back on the disks; an undo may be tried again because of it. */
  notPutBack: z.array(z.string()).readonly().optional(),
});

export type RehearsalRecord = Readonly<z.infer<typeof recordSchema>>;

/** Where a session keeps its layers. */
export const rehearsalDirectory = (sessionDirectory: string): string =>
  `${sessionDirectory}/rehearsal`;

const fileOf = (directory: string): string => `${directory}/rehearsal.json`;

/** Whether something of it waits: for a decision, or for its end. */
export const isPending = ({ phase }: Pick<RehearsalRecord, 'phase'>): boolean =>
  phase !== 'committed' && phase !== 'dropped';

/** Whether a commit or its undo was begun and has not come to its end. */
export const isHalfWritten = ({ phase }: Pick<RehearsalRecord, 'phase'>): boolean =>
  phase === 'committing' || phase === 'undoing';

/** Whether something of a layer is on the disks, all or in part, so that it can be taken back. */
export const isOnDisks = ({
  phase,
  notPutBack = [],
}: Pick<RehearsalRecord, 'phase' | 'notPutBack'>): boolean =>
  phase === 'committed' || isHalfWritten({ phase }) || (phase === 'kept' && notPutBack.length > 0);

/**
 * @param directory as `rehearsalDirectory` gives it.
 * @returns null for a session without a rehearsal.
 * @throws RescueError `STATE_DAMAGED`
 */
export const readRehearsal = async (
  files: Files,
  directory: string,
): Promise<RehearsalRecord | null> => {
  const text = await files.readText(fileOf(directory));
  if (text === null) return null;
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new RescueError({
      code: 'STATE_DAMAGED',
      message: `The record of the rehearsal in ${directory} cannot be read.`,
      hint: 'Was it made by another version of rescuekit? The disks are as the journal says.',
      cause,
    });
  }
};

/** Written as a whole and to the disk: what a cut-off merge has to do depends on it. */
export const writeRehearsal = (
  files: Files,
  directory: string,
  record: RehearsalRecord,
): Promise<void> =>
  files.writeText(fileOf(directory), `${JSON.stringify(record, null, 2)}\n`, 0o600);
