import type { BootReport } from '../container/boot-report.ts';
import { nspawnArguments } from '../container/nspawn-arguments.ts';
import { hostHasSystemd } from '../host/capabilities.ts';
import { RescueError } from '../host/rescue-error.ts';
import { renderBoot } from '../output/boot-report.ts';
import { type BootPlan, planBoot, requireRunnable } from '../rescue/boot-plan.ts';
import { withBootHooks } from '../rescue/hook-phases.ts';
import type { MountedSystem, SystemMode } from '../rescue/mount-system.ts';
import { type ContainerWishes, plainWishes, runSystem } from '../rescue/run-system.ts';
import type { FoundSystem } from '../rescue/survey.ts';
import type { KeyQuestion } from './ask.ts';
import { type StepScreen, warningLines } from './screen.ts';
import { askStep, callName, goOn, type Walk } from './walk.ts';
import { bootWords } from './words.ts';

export const shellUnit = 'rescue.target';

/** What `rescue` does without options: a shell on this terminal. */
export const shellWishes: ContainerWishes = { ...plainWishes, interactive: true };

const bootCommand = async (
  { session }: Walk,
  root: string,
  { payload }: BootPlan,
): Promise<readonly string[]> => {
  const args = nspawnArguments({
    ...shellWishes,
    root,
    machine: `rescuekit-${session.id}`,
    session: session.id,
    payload,
    hostHasSystemd: await hostHasSystemd(session.host),
    console: 'interactive',
  });
  return ['systemd-nspawn', ...args];
};

const bootScreen = async (
  walk: Walk,
  system: FoundSystem,
  root: string,
  mode: SystemMode,
  plan: BootPlan,
): Promise<StepScreen> => ({
  title:
    plan.unit === null
      ? `start a shell in ${callName(system, walk.target)}`
      : `boot ${callName(system, walk.target)} into ${plan.unit}, with a root shell here`,
  commands: [
    ...(await walk.session.hooks.lines('before-boot')),
    await bootCommand(walk, root, plan),
    ...(await walk.session.hooks.lines('after-boot')),
  ],
  why: bootWords.why,
  risk: bootWords.risk[mode],
});

const takeDown: KeyQuestion<'yes'> = {
  message: 'Take everything down now?',
  keys: [{ key: 'y', value: 'yes', word: 'yes' }],
  safe: 'yes',
};

/** Without a boot one can still look from another terminal, as long as the question stands. */
const stayMounted = async (walk: Walk, root: string): Promise<null> => {
  walk.show(
    `\n  It is mounted at ${root}\n  for root on this machine, as long as you do not answer.\n`,
  );
  await walk.ask.key(takeDown);
  return null;
};

/** A system that cannot be booted here can still be looked at. */
const planOrSay = async (
  walk: Walk,
  system: FoundSystem,
  root: string,
): Promise<BootPlan | null> => {
  try {
    await requireRunnable(walk.session.host, system.facts);
    return await planBoot(walk.session.host, root, system.facts, { kind: 'shell' }, shellUnit);
  } catch (error) {
    if (!(error instanceof RescueError) || error.code === 'INTERRUPTED') throw error;
    const text = `It cannot be booted here. ${error.message} ${error.hint}`;
    walk.show(`\n${warningLines(text, walk.terminal)}`);
    return null;
  }
};

const run = async (
  walk: Walk,
  root: string,
  mode: SystemMode,
  plan: BootPlan,
): Promise<BootReport> => {
  walk.show(
    mode === 'write'
      ? '\n  Booting. Changes are kept.'
      : '\n  Booting. THROWAWAY COPY: nothing that you change is kept.',
  );
  const boot = await withBootHooks(walk.session, () =>
    runSystem(walk.session, { root, apart: [] }, plan, shellWishes, {
      onReached: () => {},
      onOutput: () => {},
      onReboot: () => walk.observer.note('The system asked for a reboot: booting it again.'),
    }),
  );
  const report = renderBoot(boot, { unit: shellUnit, journal: false }, walk.terminal);
  if (report !== '') walk.show(`\n${report.trimEnd()}`);
  return boot;
};

/** Boots the mounted system with its shell on this terminal; null when it was not booted. */
export const bootStep = async (
  walk: Walk,
  system: FoundSystem,
  { root }: MountedSystem,
  mode: SystemMode,
): Promise<BootReport | null> => {
  const plan = await planOrSay(walk, system, root);
  if (plan === null) return stayMounted(walk, root);
  const screen = await bootScreen(walk, system, root, mode, plan);
  const answer = await askStep(walk, screen, goOn, bootWords.explain);
  if (answer === 'leave') return null;
  return answer === 'skip' ? stayMounted(walk, root) : run(walk, root, mode, plan);
};
