import {
  type Cgroup,
  commandCgroups,
  inCgroupsIfPossible,
  makeCgroups,
} from '../container/limits.ts';
import type { InsideCommand, InsideResult } from '../diagnosis/subject.ts';
import { hasBinfmt, hostHasSystemd, hostMachine } from '../host/capabilities.ts';
import { sessionVariable } from '../host/session-mark.ts';
import { runsOn } from '../system-image/elf.ts';
import type { SystemFacts } from '../system-image/system-facts.ts';
import { journalNspawnLeftovers } from './run-system.ts';
import type { Session } from './session.ts';

export type InsideOptions = {
  /** Host directory of the system's root. */
  readonly root: string;
  /** False: the whole tree is read-only for it, but for /run and /tmp of its own. */
  readonly writable: boolean;
  /** A name of its own when a session has several of them. */
  readonly machine: string;
  /** Files of the host that are shown inside, read-only. */
  readonly binds?: readonly { readonly source: string; readonly destination: string }[];
};

export type InsideRequest = InsideCommand & {
  readonly env?: Readonly<Record<string, string>>;
};

/** What nspawn says when the program, its loader, its interpreter or a mount point is not there. */
const notStarted = /execv\(.*\) failed|Failed to (?:execute|spawn|fork|mount)|Child died too early/;

/** nspawn's word on its own directory, where /run is no tmpfs; none of the program's. */
const nspawnsOwn = /^Attempted to remove disk file system under .*(?:\n|$)/gm;

// nspawn makes missing top-level links and directories before `--read-only` takes effect; where the
// tree is mounted writable that would change the disk. In a mount namespace of its own it is not.
const onReadOnlyTree =
  'mount --rbind "$0" "$0" && mount --options remount,bind,ro "$0" && exec "$@"';

const programWords = (
  { root, writable }: InsideOptions,
  words: readonly string[],
): readonly [program: string, ...args: string[]] => {
  if (writable) return ['systemd-nspawn', ...words];
  const shell = ['sh', '-c', onReadOnlyTree, root, 'systemd-nspawn', ...words];
  return ['unshare', '--mount', '--propagation', 'slave', '--', ...shell];
};

const nspawnWords = (
  session: Session,
  options: InsideOptions,
  { words, env = {} }: InsideRequest,
): readonly string[] => [
  '--quiet',
  `--directory=${options.root}`,
  ...(options.writable ? [] : ['--read-only']),
  `--machine=${options.machine}`,
  // A short command needs no scope of its own, whatever the host's PID 1 is, but a control group.
  ...['--register=no', '--keep-unit', '--drop-capability=CAP_MKNOD'],
  ...['--resolv-conf=off', '--timezone=off', '--link-journal=no', '--private-network'],
  ...(options.binds ?? []).map(({ source, destination }) => `--bind-ro=${source}:${destination}`),
  `--setenv=${sessionVariable}=${session.id}`,
  ...Object.entries({ LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', ...env }).map(
    ([name, value]) => `--setenv=${name}=${value}`,
  ),
  ...['--console=pipe', '--as-pid2', '--', ...words],
];

/**
 * Gives a function that runs programs of a mounted system in a container of their own, one after
 * the other: without network, without a device of the host, and without right to make one.
 *
 * @returns for each command its result, or null when nothing of the system can be started here.
 */
export const insideRunner = (
  session: Session,
  facts: Pick<SystemFacts, 'architecture'>,
  options: InsideOptions,
): ((request: InsideRequest) => Promise<InsideResult | null>) => {
  let ready: Promise<readonly Cgroup[] | null> | null = null;
  let last: Promise<unknown> = Promise.resolve();
  const prepare = async (): Promise<readonly Cgroup[] | null> => {
    const { architecture } = facts;
    const runnable =
      architecture !== null &&
      (runsOn(hostMachine(), architecture) === 'yes' ||
        (await hasBinfmt(session.host, architecture)));
    if (!runnable) return null;
    const systemd = await hostHasSystemd(session.host);
    await journalNspawnLeftovers(session, options.machine, options.root, systemd);
    const cgroups = await commandCgroups(session.host, session.id, systemd);
    if (cgroups.length > 0) {
      const paths = cgroups.map(({ path }) => path);
      await session.intend('control groups', { kind: 'remove-cgroups', paths });
    }
    await session.intend(`Run programs of the system in container ${options.machine}`, {
      kind: 'stop-container',
      machine: options.machine,
      session: session.id,
    });
    return cgroups;
  };
  let count = 0;
  /** nspawn leaves groups of its own in its group, beside which no further process may be. */
  const freshGroups = async (parents: readonly Cgroup[]): Promise<readonly Cgroup[]> => {
    count += 1;
    const name = `${options.machine}-${count}`;
    const cgroups = parents.map(({ path }) => ({ path: `${path}/${name}`, values: [] }));
    // Where none can be made (they are read-only inside another container), nspawn does without.
    return makeCgroups(session.host, cgroups).then(
      () => cgroups,
      () => [],
    );
  };
  const run = async (request: InsideRequest): Promise<InsideResult | null> => {
    ready ??= prepare();
    const cgroups = await ready;
    if (cgroups === null) return null;
    const words = programWords(options, nspawnWords(session, options, request));
    const [program = '', ...args] = inCgroupsIfPossible(words, await freshGroups(cgroups));
    const { exitCode, stdout, stderr } = await session.host.run({
      program,
      args,
      accept: Array.from({ length: 256 }, (_, code) => code),
      timeoutSeconds: request.timeoutSeconds ?? 60,
      changes: false,
      env: { SYSTEMD_LOG_TARGET: 'console' },
    });
    const own = stderr.replaceAll(nspawnsOwn, '');
    return exitCode !== 0 && notStarted.test(own) ? null : { exitCode, stdout, stderr: own };
  };
  // nspawn locks the tree, and two of them would stop each other.
  return (request) => {
    const next = last.then(() => run(request));
    last = next.catch(() => null);
    return next;
  };
};
