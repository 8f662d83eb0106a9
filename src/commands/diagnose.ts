import { z } from 'zod';
import { findingSchema } from '../diagnosis/finding.ts';
import { checkResultSchema } from '../filesystems/file-system.ts';
import { requirePrograms, requireRoot } from '../host/capabilities.ts';
import { type ExitCode, exitCode } from '../host/rescue-error.ts';
import { renderDiagnosis } from '../output/finding-report.ts';
import { systemTitle } from '../rescue/choose-system.ts';
import { diagnoseTarget } from '../rescue/diagnose-job.ts';
import { requireAllDown, withSession } from '../rescue/with-session.ts';
import { type CommandContext, parseOptions } from './context.ts';
import { ownRepairs } from './own-repairs.ts';
import { stackAnswers } from './stack-answers.ts';
import { targetSchema } from './target-arguments.ts';

export const notCheckedSchema = z.array(z.object({ area: z.string(), reason: z.string() }));

export const diagnoseDocumentSchema = z.object({
  schemaVersion: z.literal(1),
  session: z.string(),
  /** Pretty name and host name of the system. */
  system: z.string(),
  /** No critical finding and no warning, and every check could look. */
  healthy: z.boolean(),
  findings: z.array(findingSchema).readonly(),
  /** Checks that could not look, with the reason. */
  notChecked: notCheckedSchema.readonly(),
  checks: z.array(checkResultSchema).readonly(),
});

const schema = targetSchema.extend({ skipCheck: z.boolean().default(false) });

/** `rescuekit diagnose TARGET`: why does it not boot? Writes nothing to the target. */
export const diagnoseHandler = async (
  args: unknown,
  context: CommandContext,
): Promise<ExitCode> => {
  const given = parseOptions(schema, args);
  requireRoot('diagnose');
  await requirePrograms(context.host, ['systemd-nspawn', 'mount', 'umount', 'lsblk', 'blkid']);
  const answers = await stackAnswers(given, context);
  const own = await ownRepairs(context);
  const { result, session, teardown } = await withSession(
    context.session('diagnose', given.TARGET),
    async (open) => {
      const options = {
        target: given.TARGET,
        withDisks: given.with,
        system: given.system ?? null,
        mode: 'read-only' as const,
        answers,
        skipCheck: given.skipCheck,
        own,
      };
      return { result: await diagnoseTarget(open, options, context.observer), keepUp: false };
    },
  );
  requireAllDown(teardown);
  const { system, diagnosis, healthy, checks } = result;
  context.printJson({
    schemaVersion: 1,
    session,
    system: systemTitle(system),
    healthy,
    findings: diagnosis.findings,
    notChecked: diagnosis.notChecked,
    checks,
  });
  context.print(renderDiagnosis(diagnosis, given.TARGET, context.out));
  return healthy ? exitCode.done : exitCode.problems;
};
