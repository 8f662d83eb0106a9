import { z } from 'zod';
import { changeViewSchema } from '../changes/describe-change.ts';
import { findingSchema } from '../diagnosis/finding.ts';
import { isHealthy } from '../diagnosis/run-checks.ts';
import { checkResultSchema } from '../filesystems/file-system.ts';
import { requirePrograms, requireRoot } from '../host/capabilities.ts';
import { type ExitCode, exitCode, usageError } from '../host/rescue-error.ts';
import { renderRemaining, renderRepairs } from '../output/repair-report.ts';
import { systemTitle } from '../rescue/choose-system.ts';
import { hookMode } from '../rescue/hook-phases.ts';
import { type RepairJobOptions, type RepairJobResult, repairTarget } from '../rescue/repair-job.ts';
import { requireAllDown, withSession } from '../rescue/with-session.ts';
import { type CommandContext, parseOptions } from './context.ts';
import { notCheckedSchema } from './diagnose.ts';
import { repairCommandSchema, repairWishes, requireKnownIds } from './repair-options.ts';
import { stackAnswers } from './stack-answers.ts';
import { lastResortsOf, repairSchema, targetSchema } from './target-arguments.ts';

export const appliedRepairSchema = z.object({
  id: z.string(),
  title: z.string(),
  changes: z.array(changeViewSchema).readonly(),
  /** Programs of the system that were run on a copy-on-write layer to make the changes. */
  commands: z.array(z.array(z.string()).readonly()).readonly(),
  /** Which boot proves it. */
  proof: z.enum(['container', 'vm', 'none']),
});

export const repairDocumentSchema = z.object({
  schemaVersion: z.literal(1),
  /** For `undo`; under --dry-run nothing was changed, and there is nothing to take back. */
  session: z.string(),
  system: z.string(),
  dryRun: z.boolean(),
  applied: z.array(appliedRepairSchema).readonly(),
  refused: z.array(z.object({ id: z.string(), reason: z.string(), hint: z.string() })).readonly(),
  /** Critical findings and warnings that are there after the repair. */
  remaining: z.array(findingSchema).readonly(),
  notChecked: notCheckedSchema.readonly(),
  checks: z.array(checkResultSchema).readonly(),
});

const schema = targetSchema
  .extend(repairSchema.omit({ repair: true }).shape)
  .extend(repairCommandSchema.shape);

type Done = { readonly result: RepairJobResult; readonly session: string };

const runJob = async (context: CommandContext, options: RepairJobOptions): Promise<Done> => {
  const { target, withDisks, system, dryRun } = options;
  const command = dryRun ? 'repair --dry-run' : 'repair';
  const { result, session, teardown } = await withSession(
    {
      ...context.session(command, target, hookMode(dryRun ? 'ephemeral' : 'write')),
      ...{ withDisks, system },
    },
    async (open) => ({
      result: await repairTarget(open, options, context.observer),
      keepUp: false,
    }),
  );
  requireAllDown(teardown);
  return { result, session };
};

const remainingOf = ({ after }: RepairJobResult) =>
  after.findings.filter(({ severity }) => severity !== 'info');

const report = (context: CommandContext, { result, session }: Done, dryRun: boolean): ExitCode => {
  const { applied, refused, after, checks, system } = result;
  const remaining = remainingOf(result);
  context.printJson({
    schemaVersion: 1,
    ...{ session, system: systemTitle(system), dryRun, applied, refused, remaining },
    ...{ notChecked: after.notChecked, checks },
  });
  context.print(renderRepairs(applied, refused, context.out));
  context.print(renderRemaining(remaining, context.out));
  return isHealthy(after) ? exitCode.done : exitCode.problems;
};

/** Asks before anything is written: what is shown is exactly what would be done. */
const agreed = async (context: CommandContext, { result }: Done): Promise<boolean> => {
  context.print(renderRepairs(result.applied, result.refused, context.out));
  if (result.applied.length === 0) {
    context.print(renderRemaining(remainingOf(result), context.out));
    return false;
  }
  const { askYes } = await import('../wizard/ask-yes.ts');
  return askYes(context, 'Make these changes on the disk?');
};

/** `rescuekit repair TARGET`: mends what `diagnose` finds, after a yes. */
export const repairHandler = async (args: unknown, context: CommandContext): Promise<ExitCode> => {
  const given = parseOptions(schema, args);
  const lastResorts = lastResortsOf({ ...given, repair: true });
  requireKnownIds(given.only);
  const { dryRun, yes } = context.options;
  if (!dryRun && !yes && !context.interactive) {
    throw usageError(
      'repair asks before it changes anything, and there is no terminal to ask on.',
      'Look first with --dry-run, then give --yes.',
    );
  }
  requireRoot('repair');
  await requirePrograms(context.host, ['systemd-nspawn', 'mount', 'umount', 'lsblk', 'tar', 'cp']);
  const options: RepairJobOptions = {
    target: given.TARGET,
    withDisks: given.with,
    system: given.system ?? null,
    answers: await stackAnswers(given, context),
    skipCheck: given.skipCheck,
    lastResorts,
    only: given.only ?? null,
    wishes: await repairWishes(context.host, given),
    dryRun,
  };
  if (dryRun) return report(context, await runJob(context, options), true);
  if (!yes) {
    const look = await runJob(context, { ...options, dryRun: true });
    if (!(await agreed(context, look))) {
      context.print('  Nothing was changed.\n');
      return isHealthy(look.result.after) ? exitCode.done : exitCode.problems;
    }
  }
  const done = await runJob(context, options);
  const code = report(context, done, false);
  if (done.result.applied.length > 0) {
    context.print(`  Take back: rescuekit undo ${done.session}\n`);
  }
  return code;
};
