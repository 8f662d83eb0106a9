import type { CommandContext } from '../commands/context.ts';
import { rehearsalProofs } from '../commands/prove.ts';
import { renderOutcome } from '../commands/rehearse-options.ts';
import type { BootReport } from '../container/boot-report.ts';
import { type ExitCode, exitCode } from '../host/rescue-error.ts';
import { renderBoot } from '../output/boot-report.ts';
import { renderRehearsal } from '../output/rehearsal-report.ts';
import { noLastResorts } from '../rescue/check-system.ts';
import { systemName } from '../rescue/choose-system.ts';
import { type RehearsalOptions, withRehearsal } from '../rescue/rehearse.ts';
import { rescueSystem } from '../rescue/rescue-job.ts';
import type { FoundSystem } from '../rescue/survey.ts';
import type { Target } from '../rescue/target.ts';
import { requireAllDown } from '../rescue/with-session.ts';
import { rehearsalQuestion } from './ask-rehearsal.ts';
import { stackAnswersOf } from './ask-stack.ts';
import type { Console } from './console.ts';
import { freeSentence } from './ending.ts';
import { shellUnit, shellWishes } from './step-boot.ts';

type Rehearsal = RehearsalOptions<BootReport>;

/** Repair what is wrong, mount, and a shell: on a layer nothing of it needs a question. */
const workOn =
  ({ observer, show, terminal }: Console, answers: Rehearsal['request']['answers']) =>
  async (...[session, { means, ...place }]: Parameters<Rehearsal['work']>) => {
    const options = {
      ...{ ...place, answers, skipCheck: false, repair: means === 'snapshot' },
      ...{ lastResorts: noLastResorts, setuid: true, apart: false },
      ...{ wish: { kind: 'shell' } as const, unit: shellUnit, container: shellWishes },
    };
    const { boot, system, mounted, checks } = await rescueSystem(session, options, observer, {
      onReached: () =>
        observer.note('REHEARSAL: what you change stays on the layer until you decide.'),
      onOutput: () => {},
      onReboot: () => observer.note('The system asked for a reboot: booting it again.'),
    });
    const report = renderBoot(boot, { unit: shellUnit, journal: false }, terminal);
    if (report !== '') show(`\n${report.trimEnd()}`);
    return { value: boot, system, mounted, checks, succeeded: boot.reachedTarget !== false };
  };

/**
 * Goes on with a walk on layers over the disks, in a session of its own, and asks at the end what
 * becomes of them.
 *
 * @param system that was chosen in the walk.
 * @throws RescueError as `withRehearsal`.
 */
export const rehearseWalk = async (
  context: CommandContext,
  console: Console,
  target: Target,
  system: FoundSystem | null,
): Promise<ExitCode> => {
  const { show, ask, terminal, observer, signal } = console;
  const answers = stackAnswersOf(console);
  const wanted = system === null || system.place === null ? null : systemName(system);
  const options = { ...context.session('wizard (rehearsal)', target.name), signal };
  const { result, session, teardown } = await withRehearsal<BootReport>(options, {
    request: { target: target.name, withDisks: [], system: wanted, answers },
    observer,
    work: workOn(console, answers),
    proofs: rehearsalProofs(context, { wish: 'auto', answers, applied: () => [] }),
    decide: (report) => {
      show(renderRehearsal(report, terminal));
      return ask.key(rehearsalQuestion);
    },
  });
  show(`\n${renderOutcome(result.record, session).trimEnd()}`);
  requireAllDown(teardown);
  show(`  Nothing is left attached or mounted. ${freeSentence(target)}`);
  return result.value.reachedTarget === false ? exitCode.failed : exitCode.done;
};
