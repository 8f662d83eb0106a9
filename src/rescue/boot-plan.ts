import type { Payload } from '../container/container-options.ts';
import type { GuestWork } from '../container/prepare-guest.ts';
import { hasBinfmt, hostMachine } from '../host/capabilities.ts';
import type { Host } from '../host/host.ts';
import { plainText } from '../host/plain-text.ts';
import { RescueError, usageError } from '../host/rescue-error.ts';
import { runsOn } from '../system-image/elf.ts';
import { statusInside } from '../system-image/inside.ts';
import type { SystemFacts } from '../system-image/system-facts.ts';

/** What the person wants to do in the system. */
export type Wish =
  | { readonly kind: 'shell' }
  /** A script text; run in the booted system, output and exit status come back. */
  | { readonly kind: 'command'; readonly text: string }
  /** The same under nspawn's small init: no init of the system is started. */
  | { readonly kind: 'pid2-command'; readonly text: string }
  /** A program in place of an init, on the person's terminal. */
  | { readonly kind: 'program'; readonly words: readonly string[] }
  /** The system's own init as it would boot. */
  | { readonly kind: 'own-init' }
  /** The boot itself is what is wanted. */
  | { readonly kind: 'watch'; readonly work: GuestWork };

export type BootPlan = {
  readonly payload: Payload;
  /** Unit to reach; null for a system without systemd. */
  readonly unit: string | null;
  /** What the guest's scripts do; null when none of them runs. */
  readonly work: GuestWork | null;
  readonly hasRescueTarget: boolean;
  /** Major version of the system's systemd when it is what boots. */
  readonly systemdVersion: number | null;
};

const systemdUnitPaths = ['/usr/lib/systemd/system', '/lib/systemd/system', '/etc/systemd/system'];

/** `getty@tty1.service` comes from the file `getty@.service` (systemd.unit(5)). */
const unitFiles = (unit: string): readonly string[] => [
  ...new Set([unit, unit.replace(/@.*(?=\.\w+$)/, '@')]),
];

const hasUnit = async (host: Host, root: string, unit: string): Promise<boolean> => {
  const found = await Promise.all(
    systemdUnitPaths.flatMap((path) =>
      unitFiles(unit).map((file) => statusInside(host.files, root, `${path}/${file}`)),
    ),
  );
  return found.some((status) => status !== null);
};

/**
 * Refuses a system whose programs cannot run here, before anything of it is mounted for writing.
 *
 * @throws RescueError `FOREIGN_ARCHITECTURE` (1).
 */
export const requireRunnable = async (
  host: Host,
  { architecture }: Pick<SystemFacts, 'architecture'>,
): Promise<void> => {
  if (architecture === null || runsOn(hostMachine(), architecture) === 'yes') return;
  if (await hasBinfmt(host, architecture)) return;
  throw new RescueError({
    code: 'FOREIGN_ARCHITECTURE',
    message: `The system is for ${architecture}, this machine is ${hostMachine()}, and it has no emulation for it.`,
    hint: 'Install qemu-user-static (and binfmt-support), or use a helper machine of the same architecture. check, mount and inspect work here as well.',
  });
};

const shellOf = (facts: SystemFacts): string => {
  if (facts.shell !== null) return facts.shell;
  throw new RescueError({
    code: 'NO_SHELL',
    message: 'The system has no shell that could be started (no /bin/sh, bash or busybox).',
    hint: 'Mount it and look from outside: rescuekit mount TARGET',
  });
};

const systemdPlan = async (
  host: Host,
  root: string,
  facts: SystemFacts,
  unit: string,
  work: GuestWork,
): Promise<BootPlan> => {
  const hasRescueTarget = await hasUnit(host, root, 'rescue.target');
  const known =
    unit === 'rescue.target' || unit === 'default.target' || (await hasUnit(host, root, unit));
  if (!known) {
    throw usageError(
      `The system (${plainText(facts.os.prettyName)}) has no unit ${unit}.`,
      'Give another unit to --target, for instance multi-user.target.',
    );
  }
  const { systemdVersion } = facts;
  return { payload: { kind: 'systemd', unit }, unit, work, hasRescueTarget, systemdVersion };
};

const workFor = (
  wish: Exclude<Wish, { readonly kind: 'program' | 'own-init' }>,
  facts: SystemFacts,
): GuestWork => {
  switch (wish.kind) {
    case 'command':
    case 'pid2-command':
      return { kind: 'command', text: wish.text };
    case 'watch':
      return wish.work;
    case 'shell': {
      const hostname = plainText(facts.hostname ?? facts.os.prettyName);
      return { kind: 'shell', shell: shellOf(facts), hostname };
    }
  }
};

/**
 * Decides what runs in the container: the system's systemd where it has one, else its own init when
 * asked for, else a shell or the command under nspawn's small init.
 *
 * @param root host directory of the mounted system; @param unit the person's `--target`.
 * @throws RescueError usage (2) for a unit that is not there, `NO_SHELL` (1).
 */
export const planBoot = async (
  host: Host,
  root: string,
  facts: SystemFacts,
  wish: Wish,
  unit: string,
): Promise<BootPlan> => {
  const none = { unit: null, work: null, hasRescueTarget: false, systemdVersion: null };
  if (wish.kind === 'program') return { ...none, payload: { kind: 'program', words: wish.words } };
  if (wish.kind === 'own-init') {
    if (facts.initPath === null) throw noInit(facts);
    return { ...none, payload: { kind: 'own-init', path: facts.initPath } };
  }
  const work = workFor(wish, facts);
  if (facts.init === 'systemd' && wish.kind !== 'pid2-command')
    return systemdPlan(host, root, facts, unit, work);
  return { ...none, work, payload: { kind: 'program', words: [] } };
};

const noInit = (facts: SystemFacts): RescueError =>
  new RescueError({
    code: 'NO_INIT',
    message: `The system (${plainText(facts.os.prettyName)}) has no init that could be started.`,
    hint: 'Leave out --own-init to get a shell in it.',
  });
