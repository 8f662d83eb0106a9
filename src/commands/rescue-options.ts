import type { Argv } from 'yargs';
import { z } from 'zod';
import type { BindMount, Network, PortForward } from '../container/container-options.ts';
import { usageError } from '../host/rescue-error.ts';

/** What is run in the container and how it is connected. */
export const addContainerOptions = <T>(argv: Argv<T>) =>
  argv
    .option('exec', {
      type: 'string',
      requiresArg: true,
      describe: 'Run this shell command in the booted system instead of a shell',
    })
    .option('script', {
      type: 'string',
      requiresArg: true,
      describe: 'Run this script file in the booted system instead of a shell',
    })
    .option('as-pid2', {
      type: 'string',
      requiresArg: true,
      describe: 'Run this program instead of an init',
    })
    .option('own-init', {
      type: 'boolean',
      describe: 'Boot an init that is not systemd (sysvinit, openrc, busybox) instead of a shell',
    })
    .option('target', {
      type: 'string',
      requiresArg: true,
      describe: 'Unit to boot into (default: rescue.target)',
    })
    .option('ephemeral', {
      type: 'boolean',
      describe: 'Keep nothing: the disk stays as it is, byte for byte',
    })
    .option('network', {
      type: 'string',
      requiresArg: true,
      describe: 'none (default), host, veth, bridge:NAME or zone:NAME',
    })
    .option('port', {
      type: 'string',
      array: true,
      requiresArg: true,
      describe: 'Forward a port, HOST:GUEST or udp:HOST:GUEST (needs veth, bridge or zone)',
    })
    .option('resolv-conf', {
      type: 'string',
      requiresArg: true,
      describe: "How /etc/resolv.conf is treated: systemd-nspawn's modes (default: off)",
    })
    .option('private-users', {
      type: 'boolean',
      describe: 'Give the container users of its own (the disk is not changed)',
    })
    .option('bind', {
      type: 'string',
      array: true,
      requiresArg: true,
      describe: 'Show a file or directory of this machine inside, SRC[:DST]',
    })
    .option('bind-ro', {
      type: 'string',
      array: true,
      requiresArg: true,
      describe: 'The same, read-only',
    })
    .option('setenv', {
      type: 'string',
      array: true,
      requiresArg: true,
      describe: 'Environment variable for the command or shell, NAME=VALUE',
    })
    .option('memory', {
      type: 'string',
      requiresArg: true,
      describe: 'Limit of memory, for instance 512M or 2G',
    })
    .option('tasks', { type: 'string', requiresArg: true, describe: 'Limit of processes' })
    .option('machine', {
      type: 'string',
      requiresArg: true,
      describe: 'Name of the container (default: rescuekit-SESSION)',
    })
    .option('journal', {
      type: 'boolean',
      describe: "Show the system's journal of this boot afterwards",
    })
    .option('boot-timeout', {
      type: 'string',
      requiresArg: true,
      describe: 'Seconds until the unit must be reached (default: 120, 0: no limit)',
    });

const many = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => [value].flat())
  .optional();
const wholeNumber = (name: string) =>
  z.string().regex(/^\d+$/, `${name} wants a whole number`).transform(Number);

const sizeFactors: Readonly<Record<string, number>> = {
  '': 1,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
};

/** "512M" in bytes. */
const memory = z
  .string()
  .regex(/^\d+[KMGT]?$/, 'wants a size like 512M or 2G')
  .transform((text) => {
    const [, digits = '0', unit = ''] = /^(\d+)([KMGT]?)$/.exec(text) ?? [];
    return Number(digits) * (sizeFactors[unit] ?? 1);
  })
  .refine((bytes) => bytes >= 16 * 2 ** 20, 'is too small for a system to boot (at least 16M)');

const resolvConfModes = [
  'off',
  'copy-host',
  'copy-static',
  'copy-uplink',
  'copy-stub',
  'replace-host',
  'replace-static',
  'replace-uplink',
  'replace-stub',
  'bind-host',
  'bind-static',
  'bind-uplink',
  'bind-stub',
  'delete',
  'auto',
] as const;

export const containerSchema = z.object({
  exec: z.string().min(1, 'wants a command').optional(),
  script: z.string().optional(),
  asPid2: z.string().min(1, 'wants a program').optional(),
  ownInit: z.boolean().default(false),
  unit: z
    .string()
    // systemd.unit(5): letters, digits and :-_.\ with a type suffix.
    .regex(
      /^[A-Za-z0-9:_.\\@-]+\.(target|service|mount|path|socket|timer|slice|scope)$/,
      'wants the name of a unit, for instance multi-user.target',
    )
    .optional(),
  ephemeral: z.boolean().default(false),
  network: z
    .string()
    .regex(
      /^(none|host|veth|(bridge|zone):[A-Za-z0-9_.-]{1,12})$/,
      'wants none, host, veth, bridge:NAME or zone:NAME',
    )
    .optional(),
  port: many,
  resolvConf: z.enum(resolvConfModes, `wants one of ${resolvConfModes.join(', ')}`).optional(),
  privateUsers: z.boolean().default(false),
  bind: many,
  bindRo: many,
  setenv: many,
  memory: memory.optional(),
  tasks: wholeNumber('--tasks')
    .refine((count) => count >= 16, 'is too small for a system to boot (at least 16)')
    .optional(),
  machine: z
    .string()
    // nspawn makes host names and interface names of it.
    .regex(
      /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/,
      'wants letters, digits and inner hyphens, at most 63',
    )
    .optional(),
  journal: z.boolean().default(false),
  bootTimeout: wholeNumber('--boot-timeout').optional(),
});

export type ContainerArguments = z.infer<typeof containerSchema>;

/** "bridge:br0" as nspawn needs it; the schema has looked at the form. */
export const parseNetwork = (text: string | undefined): Network => {
  const [kind = 'none', name = ''] = (text ?? 'none').split(':', 2);
  if (kind === 'bridge' || kind === 'zone') return { kind, name };
  if (kind === 'host' || kind === 'veth') return { kind };
  return { kind: 'none' };
};

/** @throws RescueError usage (2) for what is no HOST:GUEST pair of port numbers. */
export const parsePort = (text: string): PortForward => {
  const [, protocol, host, guest] = /^(?:(tcp|udp):)?(\d{1,5}):(\d{1,5})$/.exec(text) ?? [];
  const numbers = [Number(host), Number(guest)];
  if (guest === undefined || numbers.some((number) => number < 1 || number > 65535)) {
    throw usageError(
      `--port ${text}: wants HOST:GUEST or udp:HOST:GUEST with numbers from 1 to 65535.`,
    );
  }
  return { protocol: protocol === 'udp' ? 'udp' : 'tcp', host: Number(host), guest: Number(guest) };
};

/** At the colons; a backslash takes a colon or a backslash as it is, as in systemd-nspawn(1). */
const splitAtColons = (text: string): readonly string[] =>
  (text.match(/(?:[^:\\]|\\[:\\]|\\)+|(?<=:)(?=:|$)|^(?=:|$)/g) ?? []).map((part) =>
    part.replaceAll(/\\([:\\])/g, '$1'),
  );

/** SRC[:DST], both absolute, a colon in them written `\:`. @throws RescueError usage (2) */
export const parseBind = (text: string, readOnly: boolean): BindMount => {
  const option = readOnly ? '--bind-ro' : '--bind';
  const [source = '', destination = source, ...rest] = splitAtColons(text);
  if (!source.startsWith('/') || !destination.startsWith('/') || rest.length > 0) {
    throw usageError(
      `${option} ${text}: wants SRC or SRC:DST, both absolute paths.`,
      'Write a colon that belongs to a path as \\: and a backslash as \\\\.',
    );
  }
  return { source, destination, readOnly };
};

/** NAME=VALUE. @throws RescueError usage (2) */
export const parseSetenv = (text: string): readonly [string, string] => {
  const [, name, value] = /^([A-Za-z_][A-Za-z0-9_]*)=([\s\S]*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw usageError(`--setenv ${text}: wants NAME=VALUE.`);
  }
  return [name, value];
};

const together = (
  args: ContainerArguments,
  names: readonly (keyof ContainerArguments)[],
): readonly string[] => names.filter((name) => args[name] !== undefined && args[name] !== false);

/** Refuses what contradicts itself. @throws RescueError usage (2) */
export const requireConsistent = (args: ContainerArguments, network: Network): void => {
  const works = together(args, ['exec', 'script', 'asPid2', 'ownInit']);
  if (works.length > 1) {
    throw usageError('--exec, --script, --as-pid2 and --own-init exclude each other.');
  }
  if (args.unit !== undefined && (args.asPid2 !== undefined || args.ownInit)) {
    throw usageError(
      '--target names a unit of systemd: it does not go with --as-pid2 or --own-init.',
    );
  }
  if (args.port !== undefined && (network.kind === 'none' || network.kind === 'host')) {
    throw usageError('--port needs a network of the container itself.', 'Add --network veth.');
  }
};
