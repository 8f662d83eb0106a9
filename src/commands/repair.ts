import { z } from 'zod';
import { changeViewSchema } from '../changes/describe-change.ts';
import { findingKey, findingSchema, problemsAmong } from '../diagnosis/finding.ts';
import { isHealthy } from '../diagnosis/run-checks.ts';
import { checkResultSchema } from '../filesystems/file-system.ts';
import { requirePrograms, requireRoot } from '../host/capabilities.ts';
import { type ExitCode, exitCode, RescueError, usageError } from '../host/rescue-error.ts';
import { renderProven } from '../output/proven-report.ts';
import { renderRemaining, renderRepairs } from '../output/repair-report.ts';
import type { RehearsalRecord } from '../rehearsal/record.ts';
import { systemTitle } from '../rescue/choose-system.ts';
import { hookMode } from '../rescue/hook-phases.ts';
import { type ProofResult, proofResult } from '../rescue/plan-proof.ts';
import { withRehearsal } from '../rescue/rehearse.ts';
import { type RepairJobOptions, type RepairJobResult, repairTarget } from '../rescue/repair-job.ts';
import { rescuePrograms } from '../rescue/rescue-job.ts';
import { requireAllDown, withSession } from '../rescue/with-session.ts';
import { isSeenToFail, proofSchema } from '../verification/proof.ts';
import { type CommandContext, parseOptions } from './context.ts';
import { notCheckedSchema } from './diagnose.ts';
import { ownRepairs } from './own-repairs.ts';
import { proveAfter, rehearsalProofs } from './prove.ts';
import {
  decideFrom,
  isKeptBack,
  rehearsalDocument,
  rehearsalSchema,
  rehearseSchema,
  renderOutcome,
  requireRehearse,
} from './rehearse-options.ts';
import { repairCommandSchema, repairWishes, requireKnownIds } from './repair-options.ts';
import { stackAnswers } from './stack-answers.ts';
import { lastResortsOf, repairSchema, targetSchema } from './target-arguments.ts';

export const appliedRepairSchema = z.object({
  id: z.string(),
  title: z.string(),
  changes: z.array(changeViewSchema).readonly(),
  commands: z.array(z.array(z.string()).readonly()).readonly(),
  /**
   * `layer`: programs of the system, run on a copy-on-write layer to make the changes. `disk`: the
   * file system's own tools, run on the disk.
   */
  commandsOn: z.enum(['layer', 'disk']),
  /** Why `undo` cannot take it back; null when it can. */
  irreversible: z.string().nullable(),
  /** Which boot proves it. */
  proof: z.enum(['container', 'vm', 'none']),
});

export const repairDocumentSchema = z.object({
  schemaVersion: z.literal(1),
  /** For `undo`; under --dry-run nothing was changed, and there is nothing to take back. */
  session: z.string(),
  system: z.string(),
  dryRun: z.boolean(),
  /** What was found before anything was changed. */
  found: z.array(findingSchema).readonly(),
  applied: z.array(appliedRepairSchema).readonly(),
  refused: z.array(z.object({ id: z.string(), reason: z.string(), hint: z.string() })).readonly(),
  /** Critical findings and warnings that are there after the repair. */
  remaining: z.array(findingSchema).readonly(),
  /** Those of them that were not there before: a repair has uncovered or made them. */
  appeared: z.array(findingSchema).readonly(),
  notChecked: notCheckedSchema.readonly(),
  checks: z.array(checkResultSchema).readonly(),
  /** The boot that was watched afterwards; null when none was. */
  proof: proofSchema.nullable(),
  /** True only when the boot that was watched shows what was changed, and reached its end. */
  proven: z.boolean(),
  /** Why nothing is proven; null when it is, and when the watched boot failed. */
  notProven: z.string().nullable(),
  /** What was tried on a layer and what became of it; null without --rehearse. */
  rehearsal: rehearsalSchema.nullable(),
});

const schema = targetSchema
  .extend(repairSchema.omit({ repair: true }).shape)
  .extend(repairCommandSchema.shape)
  .extend(rehearseSchema.shape);

type Given = z.infer<typeof schema>;

export type Repaired = {
  readonly result: RepairJobResult;
  readonly session: string;
  readonly record: RehearsalRecord | null;
  /** What was named with --only; null for everything. */
  readonly only: RepairJobOptions['only'];
};

const places = {
  disk: { command: 'repair', mode: 'write', keepLog: true },
  look: { command: 'repair --dry-run', mode: 'ephemeral', keepLog: false },
} as const;

/** Runs the job on the disk, or on throwaway layers to see what it would do. */
export const repairOn = async (
  context: CommandContext,
  place: keyof typeof places,
  wishes: RepairWishesOf,
): Promise<Repaired> => {
  const { command, ...rest } = places[place];
  const options = { ...wishes, ...rest };
  const { target, withDisks, system } = options;
  const { result, session, teardown } = await withSession(
    { ...context.session(command, target, hookMode(options.mode)), ...{ withDisks, system } },
    async (open) => ({
      result: await repairTarget(open, options, context.observer),
      keepUp: false,
    }),
  );
  requireAllDown(teardown);
  return { result, session, record: null, only: options.only };
};

type RepairWishesOf = Omit<RepairJobOptions, 'mode' | 'layers' | 'keepLog'>;

/** The same on a copy-on-write layer, whose boot is watched before anything is decided. */
const rehearseRepair = async (
  context: CommandContext,
  given: Given,
  wishes: RepairWishesOf,
): Promise<Repaired> => {
  const { target, withDisks, system, answers } = wishes;
  const { observer } = context;
  let applied: RepairJobResult['applied'] = [];
  const { result, session, teardown } = await withRehearsal<RepairJobResult>(
    context.session('repair --rehearse', target),
    {
      request: { target, withDisks, system, answers },
      observer,
      work: async (open, place) => {
        const value = await repairTarget(open, { ...wishes, ...place, keepLog: false }, observer);
        applied = value.applied;
        context.print(renderRepairs(applied, value.refused, context.out));
        const succeeded = remainingOf(value).length === 0;
        const { checks } = value;
        return { value, system: value.system, mounted: value.mounted, checks, succeeded };
      },
      proofs: rehearsalProofs(context, { wish: given.proof, answers, applied: () => applied }),
      decide: decideFrom(given, context),
    },
  );
  requireAllDown(teardown);
  return { result: result.value, session, record: result.record, only: wishes.only };
};

const remainingOf = ({ after }: RepairJobResult) => problemsAmong(after.findings);

const appearedIn = (result: RepairJobResult) => {
  const known = new Set(result.before.map(findingKey));
  return remainingOf(result).filter((finding) => !known.has(findingKey(finding)));
};

/** What was named was wanted in any case: that it was not done is a problem of its own. */
const exitOf = ({ result: { after, refused }, only }: Repaired): ExitCode =>
  isHealthy(after) && (only === null || refused.length === 0) ? exitCode.done : exitCode.problems;

/** Shows and documents what was done, and gives the exit code. */
const reportRepair = (context: CommandContext, done: Repaired, proof: ProofResult): ExitCode => {
  const { result, session, record } = done;
  const { applied, refused, after, checks, system } = result;
  const remaining = remainingOf(result);
  const rehearsal = record === null ? null : rehearsalDocument(record);
  context.printJson({
    schemaVersion: 1,
    found: result.before,
    ...{ session, system: systemTitle(system), dryRun: context.options.dryRun },
    ...{
      applied,
      refused,
      remaining,
      appeared: appearedIn(result),
      notChecked: after.notChecked,
      checks,
    },
    ...{ ...proof, rehearsal },
  });
  if (record === null) context.print(renderRepairs(applied, refused, context.out));
  context.print(renderRemaining(remaining, context.out));
  if (!context.options.dryRun) context.print(renderProven(proof, context.out));
  return isSeenToFail(proof.proof) ? exitCode.problems : exitOf(done);
};

const canTakeBack = (applied: RepairJobResult['applied']): boolean =>
  applied.some(({ irreversible }) => irreversible === null);

/**
 * Watches a boot after a repair, reports, and says how it is taken back, also where no report comes
 * because the watching was interrupted or left something.
 */
export const proveAndReport = async (
  context: CommandContext,
  done: Repaired,
  prove: (applied: RepairJobResult['applied']) => Promise<ProofResult>,
): Promise<ExitCode> => {
  const { applied } = done.result;
  const takeBack = `Take back: rescuekit undo ${done.session}`;
  const proof = await prove(applied).catch((error: unknown) => {
    if (!(error instanceof RescueError) || !canTakeBack(applied)) throw error;
    const { code, message, hint, exit } = error;
    const more = `The repair itself is done. ${takeBack}`;
    throw new RescueError({ code, message, hint: `${hint} ${more}`.trim(), exit, cause: error });
  });
  const exit = reportRepair(context, done, proof);
  if (canTakeBack(applied)) context.print(`  ${takeBack}\n`);
  return exit;
};

/** Asks before anything is written: what is shown is exactly what would be done. */
const agreed = async (context: CommandContext, { result }: Repaired): Promise<boolean> => {
  context.print(renderRepairs(result.applied, result.refused, context.out));
  if (result.applied.length === 0) {
    context.print(renderRemaining(remainingOf(result), context.out));
    return false;
  }
  const { askYes } = await import('../wizard/ask-yes.ts');
  return askYes(context, 'Make these changes on the disk?');
};

const nothingToProve = proofResult(null, null);

const requireWord = (given: Given, { options, interactive }: CommandContext): void => {
  const { dryRun, yes } = options;
  // A rehearsal writes nothing before its own question.
  if (dryRun || yes || interactive || given.rehearse) return;
  throw usageError(
    'repair asks before it changes anything, and there is no terminal to ask on.',
    'Look first with --dry-run, then give --yes.',
  );
};

export const repairPrograms = [...rescuePrograms, 'tar', 'cp', 'lsattr', 'chattr'];

/** The proof of a rehearsal is that of its layer. */
const proofOfRehearsal = ({ record }: Repaired): ProofResult => {
  const { proof = null, proven = false, notProven = null } = record?.report ?? {};
  return { proof, proven, notProven };
};

const rehearsed = async (
  context: CommandContext,
  given: Given,
  wishes: RepairWishesOf,
): Promise<ExitCode> => {
  const done = await rehearseRepair(context, given, wishes);
  const code = reportRepair(context, done, proofOfRehearsal(done));
  if (done.record !== null) context.print(renderOutcome(done.record, done.session));
  return code === exitCode.done && isKeptBack(done.record) ? exitCode.problems : code;
};

/** `rescuekit repair TARGET`: mends what `diagnose` finds, after a yes. */
export const repairHandler = async (args: unknown, context: CommandContext): Promise<ExitCode> => {
  const given = parseOptions(schema, args);
  const lastResorts = lastResortsOf({ ...given, repair: true });
  const own = await ownRepairs(context);
  requireKnownIds(given.only, own);
  requireRehearse(given);
  requireWord(given, context);
  requireRoot('repair');
  await requirePrograms(context.host, repairPrograms);
  const wishes: RepairWishesOf = {
    target: given.TARGET,
    withDisks: given.with,
    system: given.system ?? null,
    answers: await stackAnswers(given, context),
    skipCheck: given.skipCheck,
    lastResorts,
    only: given.only ?? null,
    wishes: await repairWishes(context.host, given),
    own,
  };
  const { dryRun, yes } = context.options;
  if (dryRun) return reportRepair(context, await repairOn(context, 'look', wishes), nothingToProve);
  if (given.rehearse) return rehearsed(context, given, wishes);
  if (!yes) {
    const look = await repairOn(context, 'look', wishes);
    if (!(await agreed(context, look))) {
      context.print('  Nothing was changed.\n');
      return exitOf(look);
    }
  }
  const done = await repairOn(context, 'disk', wishes);
  return proveAndReport(context, done, async (applied) =>
    applied.length === 0
      ? nothingToProve
      : proveAfter(context, { ...wishes, mode: 'ephemeral' }, applied, given.proof),
  );
};
