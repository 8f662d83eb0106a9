import { randomBytes } from 'node:crypto';
import type { BootReport } from '../container/boot-report.ts';
import { isFrozen } from '../verification/container/console.ts';
import { leftOutUnits } from '../verification/container/left-out-units.ts';
import { watchScript } from '../verification/container/watch-script.ts';
import { watchUnits } from '../verification/container/watch-units.ts';
import { planBoot } from './boot-plan.ts';
import { withBootHooks } from './hook-phases.ts';
import type { MountedSystem } from './mount-system.ts';
import { plainWishes, runSystem } from './run-system.ts';
import type { Session } from './session.ts';
import type { FoundSystem } from './survey.ts';

/** What one watched boot brought back, not yet judged. */
export type WatchedBoot = {
  readonly boot: BootReport;
  /** Begins each heading in the report. */
  readonly mark: string;
  /** Seconds from the start of systemd-nspawn until the system told its state, or ended. */
  readonly seconds: number;
  /** False when the system has no program that could be asked. */
  readonly canTell: boolean;
};

/** Time beyond the limit in which the guest itself reports what it waits for. */
const reportSeconds = 20;

export type WatchOptions = {
  readonly unit: string;
  readonly limitSeconds: number;
  /** Called now and then with the unit whose start the boot is waiting for. */
  readonly onBusy: (unit: string) => void;
};

/**
 * Boots a mounted system into a unit, without a network, and has it report what came of it. The
 * caller has mounted it so that nothing is kept.
 */
export const watchBoot = async (
  session: Session,
  { system, mounted }: { readonly system: FoundSystem; readonly mounted: MountedSystem },
  { unit, limitSeconds, onBusy }: WatchOptions,
): Promise<WatchedBoot> => {
  const mark = `rescuekit-${randomBytes(8).toString('hex')}`;
  const { facts } = system;
  const units = watchUnits(unit, leftOutUnits(facts.fstab));
  const script = watchScript({ unit, limitSeconds, mark });
  const work = { kind: 'watch', script, units } as const;
  const plan = await planBoot(session.host, mounted.root, facts, { kind: 'watch', work }, unit);
  const wishes = {
    ...plainWishes,
    keepJournal: true,
    bootTimeoutSeconds: limitSeconds + reportSeconds,
  };
  const began = performance.now();
  let told: number | null = null;
  let canTell = true;
  const boot = await withBootHooks(session, () =>
    runSystem(session, mounted, plan, wishes, {
      onReached: () => {},
      onOutput: () => {},
      onReboot: () => {},
      onEvent: (word, value) => {
        if (word === 'state') told ??= performance.now();
        if (word === 'state' && value === 'unknown') canTell = false;
        if (word === 'busy') onBusy(value);
      },
      isLastWord: isFrozen,
    }),
  );
  return { boot, mark, seconds: ((told ?? performance.now()) - began) / 1000, canTell };
};
