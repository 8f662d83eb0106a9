import { z } from 'zod';
import { requireRoot } from '../host/capabilities.ts';
import { plainText } from '../host/plain-text.ts';
import { type ExitCode, exitCode, usageError } from '../host/rescue-error.ts';
import { describeUndo } from '../host/undo-action.ts';
import { createStyle } from '../output/style.ts';
import { phaseSchema, type RehearsalRecord } from '../rehearsal/record.ts';
import { requireSession } from '../rescue/cleanup.ts';
import { pendingRehearsal, phaseWords } from '../rescue/later-rehearsal.ts';
import { listSessionRecords, type SessionRecord } from '../rescue/session-record.ts';
import {
  parseTranscript,
  renderScript,
  renderTranscript,
  transcriptEntrySchema,
} from '../rescue/transcript.ts';
import { type CommandContext, parseOptions } from './context.ts';

export const statusDocumentSchema = z.object({
  schemaVersion: z.literal(1),
  sessions: z
    .array(
      z.object({
        id: z.string(),
        command: z.string(),
        target: z.string(),
        createdAt: z.string(),
        /** running: at work; up: left up on purpose; left: it was killed or could not take all down; closed. */
        state: z.enum(['running', 'up', 'left', 'closed']),
        holds: z.array(z.string()).readonly(),
        /** A copy-on-write layer that waits for a decision, or to be written to the end. */
        rehearsal: z.object({ phase: phaseSchema, changedBytes: z.int() }).nullable(),
      }),
    )
    .readonly(),
});

/** The JSON document of `status --transcript`. */
export const transcriptDocumentSchema = z.object({
  schemaVersion: z.literal(1),
  session: z.string(),
  entries: z.array(transcriptEntrySchema).readonly(),
});

type SessionDocument = z.infer<typeof statusDocumentSchema>['sessions'][number];

const schema = z.object({
  all: z.boolean().default(false),
  transcript: z.string().optional(),
  format: z.enum(['text', 'script']).optional(),
});

/** Directories and files of our own say nothing to a person. */
const plumbing = new Set([
  ...['remove-directory', 'remove-file', 'remove-scratch', 'udev-look-again'],
]);

const changedBytes = ({ report }: RehearsalRecord): number =>
  (report?.disks ?? []).reduce((sum, disk) => sum + disk.changedBytes, 0);

const sessionDocument = (
  record: SessionRecord,
  rehearsal: RehearsalRecord | null,
): SessionDocument => ({
  rehearsal:
    rehearsal === null ? null : { phase: rehearsal.phase, changedBytes: changedBytes(rehearsal) },
  id: record.id,
  command: record.command,
  target: record.target,
  createdAt: record.createdAt,
  state: record.state,
  holds: record.open
    .filter(({ undo }) => !plumbing.has(undo.kind))
    .map(({ undo }) => describeUndo(undo)),
});

const stateWords: Readonly<Record<SessionDocument['state'], string>> = {
  running: 'at work',
  up: 'mounted, until cleanup',
  left: 'left something up: run rescuekit cleanup',
  closed: 'closed',
};

const renderSession = (session: SessionDocument, context: CommandContext): string => {
  const style = createStyle(context.out.colour);
  const state =
    session.state === 'left' ? style.warning(stateWords.left) : stateWords[session.state];
  const head = `  ${style.bold(session.id)}  ${session.command}  ${plainText(session.target)}  ${session.createdAt.slice(0, 16).replace('T', ' ')}  ${state}`;
  const layer =
    session.rehearsal === null
      ? []
      : [`      layer: ${phaseWords[session.rehearsal.phase]} (rescuekit rehearse ${session.id})`];
  return [head, ...session.holds.map((what) => `      ${plainText(what)}`), ...layer].join('\n');
};

const showTranscript = async (
  context: CommandContext,
  id: string,
  format: 'text' | 'script',
): Promise<ExitCode> => {
  const record = await requireSession(context.host, context.paths, id);
  const text = (await context.host.files.readText(`${record.directory}/transcript.jsonl`)) ?? '';
  const entries = parseTranscript(text);
  context.printJson({ schemaVersion: 1, session: id, entries });
  context.print(format === 'script' ? renderScript(id, entries) : `${renderTranscript(entries)}\n`);
  return exitCode.done;
};

/** `rescuekit status`: sessions with what they hold, or the transcript of one. */
export const statusHandler = async (args: unknown, context: CommandContext): Promise<ExitCode> => {
  const given = parseOptions(schema, args);
  if (given.format !== undefined && given.transcript === undefined) {
    throw usageError('--format says how a transcript is shown.', 'Add --transcript SESSION.');
  }
  requireRoot('status');
  if (given.transcript !== undefined) {
    return showTranscript(context, given.transcript, given.format ?? 'text');
  }
  const records = await listSessionRecords(context.host.files, context.paths);
  const documents = await Promise.all(
    records.map(async (record) => sessionDocument(record, await pendingRehearsal(record))),
  );
  const sessions = documents.filter(
    ({ state, rehearsal }) => given.all || state !== 'closed' || rehearsal !== null,
  );
  context.printJson({ schemaVersion: 1, sessions });
  context.print(
    sessions.length === 0
      ? '  No session is up. Nothing is left attached.\n'
      : `${sessions.map((session) => renderSession(session, context)).join('\n')}\n`,
  );
  return exitCode.done;
};
