import type { LastResorts } from '../filesystems/file-system.ts';
import { requirePrograms, requireRoot } from '../host/capabilities.ts';
import { type ExitCode, usageError } from '../host/rescue-error.ts';
import { renderFindings } from '../output/finding-report.ts';
import { noWishes } from '../repairs/repair.ts';
import type { ProofWish } from '../rescue/plan-proof.ts';
import type { FindOptions } from '../rescue/rescue-job.ts';
import type { CommandContext } from './context.ts';
import { ownRepairs } from './own-repairs.ts';
import { proveAfter } from './prove.ts';
import { proveAndReport, repairOn, repairPrograms } from './repair.ts';

export type AutoOptions = Omit<FindOptions, 'mode'> & {
  readonly lastResorts: LastResorts;
  readonly proof: ProofWish;
};

/**
 * `rescue --auto`: the whole line without a question. Checks and mends the file systems, mounts,
 * diagnoses, repairs, takes everything down, watches the boot, and reports. Also a system of which
 * nothing was mended is watched: that it boots is what one wants to know.
 */
export const rescueAuto = async (
  context: CommandContext,
  options: AutoOptions,
): Promise<ExitCode> => {
  requireRoot('rescue');
  if (context.options.dryRun) {
    throw usageError('--auto and --dry-run exclude each other.', 'Use: rescuekit repair --dry-run');
  }
  await requirePrograms(context.host, repairPrograms);
  const { proof: wish, ...find } = options;
  const done = await repairOn(context, 'disk', {
    ...find,
    skipCheck: false,
    only: null,
    own: await ownRepairs(context),
    wishes: noWishes,
  });
  context.print(renderFindings(done.result.before, context.out));
  return proveAndReport(context, done, (applied) =>
    proveAfter(context, { ...find, mode: 'ephemeral' }, applied, wish),
  );
};
