import { shellQuote } from '../host/command.ts';
import { sessionVariable } from '../host/session-mark.ts';
import type { BindMount, ContainerOptions, Network } from './container-options.ts';

const networkArguments = (network: Network): readonly string[] => {
  switch (network.kind) {
    case 'none':
      return ['--private-network'];
    case 'host':
      return [];
    case 'veth':
      return ['--network-veth'];
    case 'bridge':
      return [`--network-bridge=${network.name}`];
    case 'zone':
      return [`--network-zone=${network.name}`];
  }
};

/** nspawn splits bind arguments at colons; a backslash keeps one (systemd-nspawn(1)). */
const escapeColon = (path: string): string => path.replaceAll('\\', '\\\\').replaceAll(':', '\\:');

const bindArgument = ({ source, destination, readOnly, mapOwners }: BindMount): string =>
  `--bind${readOnly ? '-ro' : ''}=${escapeColon(source)}:${escapeColon(destination)}${mapOwners === true ? ':idmap' : ''}`;

/**
 * How much of its start the system shows on a person's terminal: units that fail or take long, and
 * with `--verbose` all of it. A captured console always gets everything: it is evidence.
 */
const bootMessages = ({ verboseBoot, console }: ContainerOptions): readonly string[] => {
  if (verboseBoot) return ['--show-status=yes'];
  return ['--show-status=auto', ...(console === 'interactive' ? ['--log-level=warning'] : [])];
};

const payloadArguments = (options: ContainerOptions): readonly string[] => {
  const { payload } = options;
  switch (payload.kind) {
    case 'systemd':
      // In a container PID 1 takes these words in place of the kernel command line.
      return ['--boot', '--', `--unit=${payload.unit}`, ...bootMessages(options)];
    case 'own-init':
      // As a program and not by --boot, which wants an os-release file that small trees lack.
      return ['--', payload.path];
    case 'program':
      return ['--as-pid2', '--', ...payload.words];
  }
};

/**
 * Limits as unit properties where the host's systemd keeps the container's scope. Elsewhere
 * `limits.ts` makes the control groups.
 */
const limitArguments = (options: ContainerOptions): readonly string[] =>
  options.hostHasSystemd
    ? [
        ...(options.memoryBytes === null ? [] : [`--property=MemoryMax=${options.memoryBytes}`]),
        ...(options.tasks === null ? [] : [`--property=TasksMax=${options.tasks}`]),
      ]
    : [];

/**
 * Without systemd on the host there is no scope unit and with it no device policy, so a device
 * node made inside would open the host's disks: the right to make one is taken away.
 */
const managerArguments = (hostHasSystemd: boolean): readonly string[] =>
  hostHasSystemd
    ? ['--register=yes']
    : ['--register=no', '--keep-unit', '--drop-capability=CAP_MKNOD'];

/**
 * The words of the systemd-nspawn call (systemd-nspawn(1), tried on 252).
 *
 * `--resolv-conf=off`, `--timezone=off` and `--link-journal=no` keep nspawn from writing to the
 * disk by itself. Ownership is mapped by the mount and not changed on the disk (`-U` alone may
 * chown every file).
 */
export const nspawnArguments = (options: ContainerOptions): readonly string[] => [
  '--quiet',
  `--directory=${options.root}`,
  `--machine=${options.machine}`,
  ...managerArguments(options.hostHasSystemd),
  `--resolv-conf=${options.resolvConf}`,
  '--timezone=off',
  '--link-journal=no',
  ...networkArguments(options.network),
  ...options.ports.map(({ protocol, host, guest }) => `--port=${protocol}:${host}:${guest}`),
  ...(options.privateUsers ? ['--private-users=pick', '--private-users-ownership=map'] : []),
  ...limitArguments(options),
  ...options.binds.map(bindArgument),
  // Only PID 1 sees it: by this mark the container is found when its manager was killed.
  `--setenv=${sessionVariable}=${options.session}`,
  ...options.environment.map(([name, value]) => `--setenv=${name}=${value}`),
  `--console=${options.console}`,
  ...payloadArguments(options),
];

/**
 * How the variables of `--setenv` stand in commands and scripts, for the transcript to leave out:
 * tokens and passwords are passed so. With their names, or a value of `1` would hide every 1.
 */
export const environmentSecrets = (
  environment: ContainerOptions['environment'],
): readonly string[] =>
  environment.flatMap(([name, value]) =>
    // A word in a command, a word of its own in a script, a part of a quoted word.
    [value, shellQuote(value), value.replaceAll("'", `'\\''`)].map((text) => `${name}=${text}`),
  );
