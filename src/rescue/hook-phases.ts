import type { BootReport } from '../container/boot-report.ts';
import { type Device, flattenDevice } from '../devices/device.ts';
import type { CheckResult } from '../filesystems/file-system.ts';
import { plainText } from '../host/plain-text.ts';
import { type HookMode, type HookStage, hookStages } from './hook-input.ts';
import type { MountedSystem, SystemMode } from './mount-system.ts';
import type { Session } from './session.ts';
import type { FoundSystem } from './survey.ts';

/** What a mode means for hooks: what may be written to the target. */
export const hookMode = (mode: SystemMode): HookMode => (mode === 'write' ? 'read-write' : mode);

const describeSystem = ({ facts }: FoundSystem) => ({
  name: plainText(facts.os.prettyName),
  hostname: facts.hostname === null ? null : plainText(facts.hostname),
});

/** Nodes of what was named and drawn in, with all that stands on it. */
const targetNodes = (tree: readonly Device[], scope: ReadonlySet<string>): readonly string[] => {
  const ours = tree
    .flatMap(flattenDevice)
    .filter(({ path, aliases }) => [path ?? '', ...aliases].some((name) => scope.has(name)));
  return [...new Set(ours.flatMap(flattenDevice).flatMap(({ path }) => path ?? []))];
};

/**
 * The hooks around the opening of layers.
 *
 * @param steps takes the step by which `before-deactivate` runs: before a layer is closed.
 */
export const activateHooks = ({ hooks }: Session, steps: number[]) => {
  let done = false;
  const tell = (tree: readonly Device[], scope: ReadonlySet<string>) =>
    hooks.tell({ devices: targetNodes(tree, scope) });
  return {
    /** What is there is known and free, and nothing has been opened. */
    before: async (tree: readonly Device[], scope: ReadonlySet<string>): Promise<void> => {
      await tell(tree, scope);
      await hooks.run('after-probe', 'done');
      await hooks.run('before-activate');
    },
    /** All that can be opened is open. Once; true when hooks ran, so that one has to look again. */
    after: async (tree: readonly Device[], scope: ReadonlySet<string>): Promise<boolean> => {
      if (done) return false;
      done = true;
      await tell(tree, scope);
      const step = await hooks.atTakeDown('before-deactivate');
      if (step !== null) steps.push(step);
      return hooks.run('after-activate', 'done');
    },
  };
};

/** Runs the hooks before and after a check. */
export const withCheckHooks = async <T extends { readonly result: CheckResult }>(
  { hooks }: Session,
  check: () => Promise<readonly T[]>,
): Promise<readonly T[]> => {
  await hooks.run('before-check');
  const results = await check();
  const damaged = results.some(({ result }) => result.outcome === 'damaged');
  await hooks.run('after-check', damaged ? 'problems' : 'done');
  return results;
};

/**
 * Runs the hooks before and after mounting. Their counterparts stand in the journal where their turn
 * is: what `before-mount` did is taken back after the unmounting, what `after-mount` did before it.
 */
export const withMountHooks = async (
  { hooks }: Session,
  system: FoundSystem,
  mode: SystemMode,
  mount: () => Promise<MountedSystem>,
): Promise<MountedSystem> => {
  await hooks.tell({ mode: hookMode(mode), system: describeSystem(system) });
  await hooks.atTakeDown('after-unmount');
  await hooks.run('before-mount');
  const mounted = await mount();
  const mounts = mounted.mounted.flatMap(({ target, device }) =>
    device === null ? [] : [{ target, device }],
  );
  await hooks.tell({ root: mounted.root, mounts });
  await hooks.atTakeDown('before-unmount');
  await hooks.run('after-mount', 'done');
  return mounted;
};

/** Runs the hooks before and after a boot; the latter also when the boot fails or is stopped. */
export const withBootHooks = async (
  { hooks }: Session,
  boot: () => Promise<BootReport>,
): Promise<BootReport> => {
  const step = await hooks.atTakeDown('after-boot');
  await hooks.run('before-boot');
  const report = await boot();
  const reached = report.reachedTarget !== false && !report.timedOut;
  if (step !== null) await hooks.finish(step, 'after-boot', reached ? 'done' : 'failed');
  return report;
};

/** Stages from one to another, both included, in the order in which they come. */
export const stagesBetween = (first: HookStage, last: HookStage): readonly HookStage[] =>
  hookStages.slice(hookStages.indexOf(first), hookStages.indexOf(last) + 1);
