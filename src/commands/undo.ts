import { z } from 'zod';
import { changeLogFile } from '../changes/change-log.ts';
import { parseChangeLog, type RecordedChange } from '../changes/change-record.ts';
import type { UndoReport } from '../changes/undo-changes.ts';
import { requireRoot } from '../host/capabilities.ts';
import { plainText } from '../host/plain-text.ts';
import { type ExitCode, exitCode, refusal, usageError } from '../host/rescue-error.ts';
import { isOnDisks, readRehearsal, rehearsalDirectory } from '../rehearsal/record.ts';
import { requireSession } from '../rescue/cleanup.ts';
import { phaseWords, undoRehearsal } from '../rescue/later-rehearsal.ts';
import type { SessionRecord } from '../rescue/session-record.ts';
import { hasFsck, type UndoJobOptions, undoFiles, undoFsck } from '../rescue/undo-job.ts';
import { requireAllDown, withSession } from '../rescue/with-session.ts';
import { type CommandContext, parseOptions } from './context.ts';
import { stackAnswers } from './stack-answers.ts';
import { targetSchema } from './target-arguments.ts';

export const undoDocumentSchema = z.object({
  schemaVersion: z.literal(1),
  /** The session whose changes were taken back. */
  session: z.string(),
  /** What was put back, in the order in which it was. */
  undone: z.array(z.string()).readonly(),
  left: z.array(z.object({ what: z.string(), reason: z.string() })).readonly(),
  /** Nothing was put back: `undone` is what would be, as far as it was not changed since. */
  dryRun: z.boolean(),
});

const schema = targetSchema
  .omit({ TARGET: true })
  .extend({ session: z.string(), disk: z.string().optional(), force: z.boolean().default(false) });

const nothing: UndoReport = { undone: [], left: [] };

/** `rescuekit undo SESSION`: puts back what a session changed on the target. */
export const undoHandler = async (args: unknown, context: CommandContext): Promise<ExitCode> => {
  const given = parseOptions(schema, args);
  requireRoot('undo');
  const record = await requireSession(context.host, context.paths, given.session);
  if (record.state === 'running') {
    throw refusal('RUNNING', `Session ${record.id} is still at work.`, 'Wait until it has ended.');
  }
  const target = given.disk ?? record.target;
  const options = {
    target,
    withDisks: given.with.length > 0 ? given.with : record.withDisks,
    system: given.system ?? record.system,
    answers: await stackAnswers(given, context),
    force: given.force,
    byPerson: given.disk !== undefined,
  };
  const rehearsed = await undoRehearsed(record, options, context);
  if (rehearsed !== null) return report(record.id, rehearsed, context);
  const log = (await context.host.files.readText(changeLogFile(record.directory))) ?? '';
  const changes = parseChangeLog(log);
  const open = changes.filter(({ undone }) => !undone);
  if (context.options.dryRun) {
    return report(record.id, plannedUndo(open), context);
  }
  if (target === '') throw usageError('The session names no target.', 'Name it with --disk.');
  const inSession = async (
    job: (session: Parameters<typeof undoFiles>[0]) => Promise<UndoReport>,
  ): Promise<UndoReport> => {
    const { result, teardown } = await withSession(
      context.session('undo', target, 'read-write'),
      async (session) => ({ result: await job(session), keepUp: false }),
    );
    requireAllDown(teardown);
    return result;
  };
  const hasFiles = open.some(({ intent }) => intent.kind !== 'fsck');
  const files = hasFiles
    ? await inSession((session) => undoFiles(session, record, options, context.observer))
    : nothing;
  // e2undo(8) wants the file system as e2fsck has left it, and not mounted.
  const fsck = hasFsck(changes)
    ? await inSession((session) => undoFsck(session, record, options))
    : nothing;
  const both = {
    undone: [...files.undone, ...fsck.undone],
    left: [...files.left, ...fsck.left],
  };
  return report(record.id, both, context);
};

const report = (session: string, result: UndoReport, context: CommandContext): ExitCode => {
  const { dryRun } = context.options;
  context.printJson({ schemaVersion: 1, session, ...result, dryRun });
  context.print(renderUndo(result, dryRun));
  return result.left.length === 0 ? exitCode.done : exitCode.refused;
};

/**
 * Of a rehearsal over whole disks the blocks are put back that its commit has written, of one over
 * file systems the files; null for every other session, and for an overlay of which nothing is on
 * the disk any more but what an undo has left.
 */
const undoRehearsed = async (
  session: SessionRecord,
  options: UndoJobOptions,
  context: CommandContext,
): Promise<UndoReport | null> => {
  const { host, paths, showHook, observer } = context;
  const { dryRun } = context.options;
  const record = await readRehearsal(host.files, rehearsalDirectory(session.directory));
  if (record === null) return null;
  if (record.means === 'overlay' && (dryRun || !isOnDisks(record))) return null;
  if (!isOnDisks(record)) {
    throw usageError(
      `Nothing of session ${session.id} is on a disk: its layer is ${phaseWords[record.phase]}.`,
      `See: rescuekit rehearse ${session.id}`,
    );
  }
  if (dryRun) return { undone: record.disks.map(({ name }) => `blocks of ${name}`), left: [] };
  const wish = context.session('undo', session.target, 'read-write');
  return undoRehearsal({ session: { ...wish, paths }, showHook, observer }, session.id, options);
};

const nameOf = (intent: RecordedChange['intent']): string => {
  switch (intent.kind) {
    case 'entry':
      return intent.path;
    case 'bytes':
      return intent.what;
    case 'fsck':
      return `file system repair of ${intent.device}`;
  }
};

/** Files come first: a file system is put back while it is not mounted. */
const plannedUndo = (open: readonly RecordedChange[]): UndoReport => {
  const names = (changes: readonly RecordedChange[]) =>
    changes.toReversed().map(({ intent }) => nameOf(intent));
  const isFile = ({ intent }: RecordedChange) => intent.kind !== 'fsck';
  return {
    undone: [...names(open.filter(isFile)), ...names(open.filter((change) => !isFile(change)))],
    left: [],
  };
};

const renderUndo = ({ undone, left }: UndoReport, dryRun: boolean): string => {
  const lines = [
    ...undone.map((what) => `  put back: ${plainText(what)}`),
    ...left.flatMap(({ what, reason }) => [
      `  left: ${plainText(what)}`,
      `        ${plainText(reason)}`,
    ]),
  ];
  const nothingDone = `  Nothing ${dryRun ? 'is' : 'was'} to be put back.`;
  return `${lines.length === 0 ? nothingDone : lines.join('\n')}\n`;
};
