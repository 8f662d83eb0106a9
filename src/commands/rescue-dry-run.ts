import { type ExitCode, exitCode } from '../host/rescue-error.ts';
import { layerLines } from '../rehearsal/layer-device.ts';
import { checkLines, checkTargetsOf } from '../rescue/check-system.ts';
import type { HookStage } from '../rescue/hook-input.ts';
import { stagesBetween } from '../rescue/hook-phases.ts';
import { hookLines } from '../rescue/hooks.ts';
import { mountLines } from '../rescue/mount-lines.ts';
import type { SystemMode } from '../rescue/mount-system.ts';
import { stackLines } from '../rescue/open-stack.ts';
import { disksOfSystem } from '../rescue/rehearsal-look.ts';
import { chooseMeans } from '../rescue/rehearsal-means.ts';
import { type FoundTarget, findSystem, type RescueOptions } from '../rescue/rescue-job.ts';
import type { Session } from '../rescue/session.ts';
import { requireAllDown, withSession } from '../rescue/with-session.ts';
import type { CommandContext } from './context.ts';
import { printCommands } from './dry-run.ts';

/** What a rehearsal puts before everything else, and what it then works in. */
const rehearsalLines = async (
  session: Session,
  found: FoundTarget,
): Promise<{ readonly lines: readonly (readonly string[])[]; readonly mode: SystemMode }> => {
  const devices = disksOfSystem(found);
  const { means } = await chooseMeans(session.host, devices);
  if (means === 'overlay') return { lines: [], mode: 'ephemeral' };
  return { lines: devices.flatMap(({ path, name }) => layerLines(path ?? name)), mode: 'write' };
};

/** The commands of `rescue`, of which only those are run that look. */
export const rescueDryRun = async (
  options: RescueOptions,
  context: CommandContext,
  rehearse: boolean,
): Promise<ExitCode> => {
  const { teardown } = await withSession(
    context.session('rescue --dry-run', options.target),
    async (session) => {
      const look = { ...options, mode: 'read-only' } as const;
      const found = await findSystem(session, look, context.observer);
      const { system, opened } = found;
      const { lines, mode } = rehearse
        ? await rehearsalLines(session, found)
        : { lines: [], mode: options.mode };
      const root = `${session.runDirectory}/root`;
      const hooks = (first: HookStage, last: HookStage) =>
        hookLines(session.host, context.hooks, stagesBetween(first, last));
      const checks = [
        ...(await hooks('before-check', 'before-check')),
        ...checkLines(checkTargetsOf(system), options.repair),
        ...(await hooks('after-check', 'after-check')),
      ];
      printCommands(context, [
        ...lines,
        ...(await hooks('before-probe', 'before-activate')),
        ...stackLines(opened, mode === 'write' ? 'read-write' : 'read-only'),
        ...(await hooks('after-activate', 'after-activate')),
        ...(options.skipCheck ? [] : checks),
        ...(await hooks('before-mount', 'before-mount')),
        ...mountLines(system, mode, root),
        ...(await hooks('after-mount', 'before-boot')),
        ['systemd-nspawn', `--directory=${root}`, '--boot', '--', `--unit=${options.unit}`],
        ...(await hooks('after-boot', 'after-deactivate')),
      ]);
      return { result: null, keepUp: false };
    },
  );
  requireAllDown(teardown);
  return exitCode.done;
};
