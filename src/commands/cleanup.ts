import { z } from 'zod';
import { requireRoot } from '../host/capabilities.ts';
import { plainText } from '../host/plain-text.ts';
import { type ExitCode, exitCode } from '../host/rescue-error.ts';
import { cleanUp } from '../rescue/cleanup.ts';
import { listSessionRecords } from '../rescue/session-record.ts';
import { type CommandContext, parseOptions } from './context.ts';

export const cleanupDocumentSchema = z.object({
  schemaVersion: z.literal(1),
  removed: z.array(z.object({ session: z.string(), what: z.string() })).readonly(),
  left: z.array(z.object({ session: z.string(), what: z.string(), reason: z.string() })).readonly(),
  /** Hooks that failed; what rescuekit itself put up is not concerned. */
  hookFailures: z.array(z.object({ session: z.string(), reason: z.string() })).readonly(),
});

const schema = z.object({ session: z.string().optional() });

const showPlan = async (context: CommandContext, id: string | undefined): Promise<ExitCode> => {
  const records = await listSessionRecords(context.host.files, context.paths);
  const chosen = records.filter(
    (record) => record.id === (id ?? record.id) && ['left', 'up'].includes(record.state),
  );
  const lines = chosen.flatMap(({ id: session, open }) =>
    open.map(({ title }) => `  ${session}  take down: ${title}`),
  );
  context.print(`${lines.length === 0 ? '  Nothing is left to take down.' : lines.join('\n')}\n`);
  return exitCode.done;
};

/** `rescuekit cleanup [SESSION]`. Exit code 5 when something could not be taken down. */
export const cleanupHandler = async (args: unknown, context: CommandContext): Promise<ExitCode> => {
  const given = parseOptions(schema, args);
  requireRoot('cleanup');
  if (context.options.dryRun) return showPlan(context, given.session);
  const report = await cleanUp(context.paths, given.session ?? null, context.showHook);
  context.printJson({ schemaVersion: 1, ...report });
  const removed = report.removed.map(
    ({ session, what }) => `  ${session}  taken down: ${plainText(what)}`,
  );
  const left = report.left.map(
    ({ session, what, reason }) =>
      `  ${session}  left: ${plainText(what)}\n        ${plainText(reason)}`,
  );
  const nothing = removed.length + left.length === 0 ? ['  Nothing is left to take down.'] : [];
  context.print(`${[...removed, ...left, ...nothing].join('\n')}\n`);
  if (left.length > 0) return exitCode.leftBehind;
  return report.hookFailures.length === 0 ? exitCode.done : exitCode.failed;
};
