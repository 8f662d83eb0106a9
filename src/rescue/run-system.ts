import { type BootRequest, bootContainer } from '../container/boot.ts';
import type { BootReport } from '../container/boot-report.ts';
import type {
  BindMount,
  ContainerOptions,
  ContainerSettings,
} from '../container/container-options.ts';
import { cgroupsFor, hierarchyEnvironment } from '../container/limits.ts';
import { environmentSecrets } from '../container/nspawn-arguments.ts';
import { type Guest, prepareGuest } from '../container/prepare-guest.ts';
import { hostHasSystemd } from '../host/capabilities.ts';
import { withoutSecrets } from '../host/command.ts';
import type { Host } from '../host/host.ts';
import { type RescueError, usageError } from '../host/rescue-error.ts';
import type { BootPlan } from './boot-plan.ts';
import type { MountedSystem } from './mount-system.ts';
import type { Session } from './session.ts';

/** The person's wishes about the container. */
export type ContainerWishes = ContainerSettings & {
  readonly machine: string | null;
  readonly keepJournal: boolean;
  /** Seconds until the unit must be reached; 0 for no limit. */
  readonly bootTimeoutSeconds: number;
  readonly interactive: boolean;
};

/** What a container is without a wish of the person's: no network, no limits, nothing shown in it. */
export const plainWishes: ContainerWishes = {
  machine: null,
  network: { kind: 'none' },
  ports: [],
  resolvConf: 'off',
  privateUsers: false,
  binds: [],
  environment: [],
  memoryBytes: null,
  tasks: null,
  keepJournal: false,
  bootTimeoutSeconds: 120,
  interactive: false,
  verboseBoot: false,
};

export type RunHandlers = {
  /** `unit` is null for a system without systemd and for a program in place of an init. */
  readonly onReached: (seconds: number, unit: string | null) => void;
  readonly onOutput: (stream: 'stdout' | 'stderr', chunk: Buffer) => void;
  readonly onReboot: () => void;
} & Pick<BootRequest, 'onEvent' | 'isLastWord'>;

/**
 * nspawn makes these for itself and leaves them; where they are empty afterwards they go again. On a
 * host with systemd only if it had none: there they may be another's. Elsewhere always, because of
 * several containers side by side the last one takes away what the first one has made.
 */
const nspawnDirectories = ['', '/propagate', '/locks', '/unix-export'].map(
  (name) => `/run/systemd/nspawn${name}`,
);

const userDirectory = '/run/systemd/nspawn-uid';

/**
 * nspawn's lock on a tree, named by device and inode. One that is there already is somebody else's;
 * a killed nspawn leaves its own.
 */
const journalNspawnLock = async (session: Session, root: string): Promise<void> => {
  const { files } = session.host;
  const status = await files.statusFollowed(root);
  if (status === null) return;
  const path = `${nspawnDirectories[0]}/locks/inode-${status.dev}:${status.ino}`;
  if ((await files.status(path)) !== null) return;
  await session.intend(path, { kind: 'remove-file', path });
};

/** Writes down what nspawn leaves on the host for a machine of this name and this tree. */
export const journalNspawnLeftovers = async (
  session: Session,
  machine: string,
  root: string,
  systemd: boolean,
): Promise<void> => {
  const { files } = session.host;
  const missing: string[] = [];
  for (const path of nspawnDirectories) {
    if (!systemd || (await files.status(path)) === null) missing.push(path);
  }
  // Where `--private-users=pick` notes which users are taken.
  if ((await files.status(userDirectory)) === null) missing.push(userDirectory);
  for (const path of missing) await session.intend(path, { kind: 'remove-directory', path });
  for (const path of ['propagate', 'unix-export'].map(
    (name) => `${nspawnDirectories[0]}/${name}/${machine}`,
  )) {
    await session.intend(path, { kind: 'remove-directory', path });
  }
  await journalNspawnLock(session, root);
};

const privateUsersNeedSystemd = (): RescueError =>
  usageError(
    '--private-users needs a rescue host whose PID 1 is systemd.',
    'Without it the guest cannot be given control groups of its own. Leave the option out.',
  );

const noBridge = (name: string): RescueError =>
  usageError(
    `--network bridge:${name}: this machine has no bridge of that name.`,
    `Make one: ip link add ${name} type bridge`,
  );

/** @throws RescueError usage (2) for what this host cannot do, before anything is touched. */
export const requireContainerWishes = async (
  host: Host,
  wishes: ContainerWishes,
): Promise<void> => {
  if (wishes.privateUsers && !(await hostHasSystemd(host))) throw privateUsersNeedSystemd();
  const { network } = wishes;
  if (network.kind !== 'bridge') return;
  if ((await host.files.statusFollowed(`/sys/class/net/${network.name}/bridge`)) === null) {
    throw noBridge(network.name);
  }
};

const optionsFor = (
  session: Session,
  root: string,
  plan: BootPlan,
  wishes: ContainerWishes,
  guest: Guest | null,
  systemd: boolean,
  parts: readonly BindMount[],
): ContainerOptions => ({
  root,
  machine: wishes.machine ?? `rescuekit-${session.id}`,
  session: session.id,
  payload:
    guest !== null && plan.payload.kind === 'program'
      ? { kind: 'program', words: guest.program }
      : plan.payload,
  network: wishes.network,
  ports: wishes.ports,
  resolvConf: wishes.resolvConf,
  privateUsers: wishes.privateUsers,
  binds: [...parts, ...(guest?.binds ?? []), ...wishes.binds],
  environment: [...(guest?.environment ?? []), ...wishes.environment],
  memoryBytes: wishes.memoryBytes,
  tasks: wishes.tasks,
  hostHasSystemd: systemd,
  console: wishes.interactive ? 'interactive' : 'read-only',
  verboseBoot: wishes.verboseBoot,
});

/** A reboot from inside starts the same boot again; a command that reboots has ended. */
const mayBootAgain = (report: BootReport, wishes: ContainerWishes): boolean =>
  report.rebooted && wishes.interactive;

/**
 * Boots a mounted system and stays until it has ended. The container's stop stands in the journal
 * before it is started, and it is taken down as soon as it has ended.
 */
export const runSystem = async (
  session: Session,
  mounted: Pick<MountedSystem, 'root' | 'apart'>,
  plan: BootPlan,
  wishes: ContainerWishes,
  handlers: RunHandlers,
): Promise<BootReport> => {
  const systemd = await hostHasSystemd(session.host);
  await requireContainerWishes(session.host, wishes);
  const secrets = environmentSecrets(wishes.environment);
  const guest =
    plan.work === null
      ? null
      : await prepareGuest(session.host, {
          runDirectory: session.runDirectory,
          unit: plan.unit,
          work: plan.work,
          hasRescueTarget: plan.hasRescueTarget,
          keepJournal: wishes.keepJournal,
          environment: wishes.environment,
          privateUsers: wishes.privateUsers,
          note: (text) => session.transcript.shell(withoutSecrets(text, secrets)),
        });
  const options = optionsFor(session, mounted.root, plan, wishes, guest, systemd, mounted.apart);
  const cgroups = systemd
    ? []
    : await cgroupsFor(session.host, session.id, wishes.memoryBytes, wishes.tasks);
  await journalNspawnLeftovers(session, options.machine, mounted.root, systemd);
  if (cgroups.length > 0) {
    const paths = cgroups.map(({ path }) => path);
    await session.intend('control groups', { kind: 'remove-cgroups', paths });
  }
  for (;;) {
    const step = await session.intend(`Boot container ${options.machine}`, {
      kind: 'stop-container',
      machine: options.machine,
      session: session.id,
    });
    const report = await bootContainer(session.host, {
      options,
      guestDirectory: guest?.directory ?? null,
      cgroups,
      environment: await hierarchyEnvironment(session.host, plan.systemdVersion),
      timeoutSeconds: plan.unit === null ? 0 : wishes.bootTimeoutSeconds,
      signal: session.signal,
      onReached: (seconds) => handlers.onReached(seconds, plan.unit),
      onOutput: handlers.onOutput,
      ...(handlers.onEvent === undefined ? {} : { onEvent: handlers.onEvent }),
      ...(handlers.isLastWord === undefined ? {} : { isLastWord: handlers.isLastWord }),
    });
    await session.takeDown(step);
    if (!mayBootAgain(report, wishes)) return report;
    handlers.onReboot();
  }
};
