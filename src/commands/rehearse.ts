import { z } from 'zod';
import { requireRoot } from '../host/capabilities.ts';
import { plainText } from '../host/plain-text.ts';
import { type ExitCode, exitCode, usageError } from '../host/rescue-error.ts';
import { renderRehearsal } from '../output/rehearsal-report.ts';
import type { RehearsalRecord } from '../rehearsal/record.ts';
import {
  commitRehearsal,
  dropRehearsal,
  findRehearsal,
  phaseWords,
} from '../rescue/later-rehearsal.ts';
import { type CommandContext, parseOptions } from './context.ts';
import { rehearsalDocument, rehearsalSchema, renderOutcome } from './rehearse-options.ts';
import { stackAnswers } from './stack-answers.ts';
import { targetSchema } from './target-arguments.ts';

export const rehearseDocumentSchema = z.object({
  schemaVersion: z.literal(1),
  session: z.string(),
  target: z.string(),
  system: z.string(),
  /** Null while the session works, and after one that did not come to its end. */
  rehearsal: rehearsalSchema.nullable(),
});

const schema = targetSchema.omit({ TARGET: true }).extend({
  session: z.string(),
  commit: z.boolean().default(false),
  drop: z.boolean().default(false),
});

const show = (record: RehearsalRecord, context: CommandContext): void => {
  const { title, target, phase, report, notPutBack = [] } = record;
  context.print(
    `  ${plainText(title)} on ${plainText(target)}: the layer is ${phaseWords[phase]}\n`,
  );
  for (const what of notPutBack) context.print(`  not put back: ${plainText(what)}\n`);
  if (report !== null) context.print(`${renderRehearsal(report, context.out)}\n`);
};

/** `rescuekit rehearse SESSION`: shows a kept layer, commits it, or drops it. */
export const rehearseHandler = async (
  args: unknown,
  context: CommandContext,
): Promise<ExitCode> => {
  const given = parseOptions(schema, args);
  if (given.commit && given.drop) throw usageError('--commit and --drop exclude each other.');
  requireRoot('rehearse');
  const { session: id, commit, drop } = given;
  const found = await findRehearsal(context.paths, id);
  const { target } = found.session;
  const options = {
    session: context.session('rehearse', target, 'read-write'),
    showHook: context.showHook,
    observer: context.observer,
    answers: await stackAnswers(given, context),
  };
  const acts = (commit || drop) && !context.options.dryRun;
  const record = !acts
    ? found.record
    : commit
      ? await commitRehearsal(options, id)
      : await dropRehearsal(options, id, context.options.yes);
  context.printJson({
    schemaVersion: 1,
    ...{ session: id, target, system: record.title, rehearsal: rehearsalDocument(record) },
  });
  if (acts) context.print(renderOutcome(record, id));
  else show(record, context);
  return exitCode.done;
};
