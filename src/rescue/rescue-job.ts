import type { BootReport } from '../container/boot-report.ts';
import type { CheckResult, LastResorts } from '../filesystems/file-system.ts';
import type { Opening } from '../storage/layer.ts';
import { type AttachedTarget, type AttachOptions, attachTarget } from './attach.ts';
import { planBoot, requireRunnable, type Wish } from './boot-plan.ts';
import { checkFileSystems, checkTargetsOf, requireMountable } from './check-system.ts';
import { chooseSystem, systemName, systemTitle } from './choose-system.ts';
import { closedText } from './closed-layers.ts';
import { withBootHooks, withMountHooks } from './hook-phases.ts';
import {
  type MountedSystem,
  mountDirectory,
  mountSystem,
  type SystemMode,
} from './mount-system.ts';
import { nameVolumes } from './name-volumes.ts';
import type { Observer } from './observer.ts';
import { type ContainerWishes, type RunHandlers, runSystem } from './run-system.ts';
import type { Session } from './session.ts';
import type { StackAnswers } from './stack-answers.ts';
import { type FoundSystem, surveyDirectory } from './survey.ts';
import { surveyWhole } from './survey-whole.ts';
import { resolveTarget, type Target } from './target.ts';

export type FindOptions = {
  readonly target: string;
  readonly withDisks: readonly string[];
  /** Name of one of several systems, null when there is only one. */
  readonly system: string | null;
  readonly mode: SystemMode;
  readonly answers: StackAnswers;
} & Pick<AttachOptions, 'stackMode'>;

export type PrepareOptions = FindOptions & {
  readonly skipCheck: boolean;
  readonly repair: boolean;
  readonly lastResorts: LastResorts;
  /** Set-user-id programs work in what is mounted. */
  readonly setuid: boolean;
  /** The container has users of its own, see `MountOptions`. */
  readonly apart: boolean;
  /** Where the layers of an `ephemeral` mount are kept, see `MountOptions`. */
  readonly layers?: string;
};

export type PreparedSystem = {
  readonly system: FoundSystem;
  readonly checks: readonly CheckResult[];
  readonly mounted: MountedSystem;
};

export type RescueOptions = PrepareOptions & {
  readonly wish: Wish;
  readonly unit: string;
  readonly container: ContainerWishes;
};

export type RescueResult = PreparedSystem & { readonly boot: BootReport };

/** The programs without which the main job cannot be done, asked for before anything is touched. */
export const rescuePrograms = ['systemd-nspawn', 'mount', 'umount', 'lsblk', 'blkid'];

export type FoundTarget = {
  readonly target: Target;
  readonly system: FoundSystem;
  /** Layers that were opened for it. */
  readonly opened: readonly Opening[];
  /** Null for a directory. */
  readonly attached: AttachedTarget | null;
  /** Name by which it is told from other systems on the target; null when it is the only one. */
  readonly oneOfSeveral: string | null;
};

/** Attaches the target and finds the one system to work on. */
export const findSystem = async (
  session: Session,
  options: FindOptions,
  observer: Observer,
): Promise<FoundTarget> => {
  const target = await resolveTarget(session.host, options.target);
  if (target.kind === 'directory') {
    await session.lock(target.lockKey, options.mode === 'write' ? 'exclusive' : 'shared');
    const system = await surveyDirectory(session, target.path);
    return { target, system, opened: [], attached: null, oneOfSeveral: null };
  }
  const found = await observer.task(
    `Look at ${target.name}`,
    async () => {
      const mode = options.mode === 'write' ? 'read-write' : 'read-only';
      const first = await attachTarget(session, target, { ...options, mode });
      const { attached, survey } = await surveyWhole(session, first, options.answers, 'enough');
      const system = chooseSystem(attached, survey, options.system);
      const oneOfSeveral = survey.systems.length > 1 ? systemName(system) : null;
      return { target, system, opened: attached.stack.opened, attached, oneOfSeveral };
    },
    ({ system }) => `Found ${systemTitle(system)}`,
  );
  for (const layer of found.attached.closed) observer.warn(closedText(layer));
  return found;
};

const check = async (
  session: Session,
  options: PrepareOptions,
  system: FoundSystem,
  observer: Observer,
): Promise<readonly CheckResult[]> => {
  if (options.skipCheck) return [];
  const repair = options.repair && options.mode === 'write';
  const settings = { repair, lastResorts: options.lastResorts };
  const results = await checkFileSystems(session, checkTargetsOf(system), settings, observer);
  // A throwaway boot writes nothing, so damage there is worth a warning and not a refusal.
  if (options.mode === 'write') requireMountable(results, options.target);
  for (const result of results) {
    if (result.outcome !== 'clean') observer.warn(`${result.device}: ${result.detail}`);
  }
  return results;
};

/** Finds, checks and mounts. */
export const prepareSystem = async (
  session: Session,
  options: PrepareOptions,
  observer: Observer,
  beforeMount: (system: FoundSystem) => Promise<void> = async () => {},
): Promise<PreparedSystem> => {
  const { target, system: found } = await findSystem(session, options, observer);
  await beforeMount(found);
  const system = await nameVolumes(session, found, observer.note);
  const checks = await check(session, options, system, observer);
  const mounted = await withMountHooks(session, system, options.mode, () =>
    observer.task(
      `Mount ${systemTitle(system)}`,
      () =>
        target.kind === 'directory'
          ? mountDirectory(session, target, options.mode, options.layers)
          : mountSystem(session, system, options),
      (result) => `Mounted ${mountedText(result)}`,
    ),
  );
  for (const mount of mounted.notMounted) {
    if (mount.note !== 'swap' && mount.note !== 'noauto') {
      observer.warn(`${mount.target} is not mounted (${mount.spec}): ${mount.note ?? mount.state}`);
    }
  }
  return { system, checks, mounted };
};

const mountedText = (mounted: MountedSystem): string =>
  mounted.mounted.length === 0
    ? 'the directory'
    : mounted.mounted.map((mount) => mount.target).join(', ');

/** The main job: find, check, mount, boot, and come back. Taking down is the session's. */
export const rescueSystem = async (
  session: Session,
  options: RescueOptions,
  observer: Observer,
  handlers: RunHandlers,
): Promise<RescueResult> => {
  const prepared = await prepareSystem(session, options, observer, (system) =>
    requireRunnable(session.host, system.facts),
  );
  const { root } = prepared.mounted;
  const plan = await planBoot(
    session.host,
    root,
    prepared.system.facts,
    options.wish,
    options.unit,
  );
  const boot = await withBootHooks(session, () =>
    runSystem(session, prepared.mounted, plan, options.container, handlers),
  );
  return { ...prepared, boot };
};
