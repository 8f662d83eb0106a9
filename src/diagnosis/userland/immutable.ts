import { isInterruption, messageOf, RescueError } from '../../host/rescue-error.ts';
import type { Check } from '../check.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { atFile } from './evidence.ts';

/** What the boot or an upgrade writes: a flag on a directory keeps names from being made in it. */
const written = (
  '/ /etc /usr /usr/bin /usr/sbin /usr/lib /bin /sbin /lib /lib/modules /boot /boot/grub /var ' +
  '/var/lib /var/log /var/cache /var/lib/dpkg /var/lib/systemd /tmp /var/tmp /etc/ssh ' +
  '/etc/systemd/system /etc/ld.so.cache /boot/grub/grub.cfg /bin/sh /bin/login ' +
  '/usr/lib/systemd/systemd /var/lib/dpkg/status'
).split(' ');

/**
 * What hardening guides protect so, and what neither a boot nor most upgrades write. /etc/resolv.conf
 * is left out: there the flag is the usual means against programs that write it.
 */
const protectedOften = (
  '/root /home /etc/passwd /etc/shadow /etc/group /etc/gshadow /etc/fstab /etc/machine-id ' +
  '/etc/hostname /etc/sudoers /etc/ssh/sshd_config /etc/default/grub'
).split(' ');

const paths = [...written, ...protectedOften];

/** A log directory that only takes more is a wish, one that takes nothing stops what writes there. */
const stopping = new Set(['/', '/var', '/var/lib', '/var/log', '/tmp', '/var/tmp', '/etc']);

export type Flagged = {
  readonly path: string;
  readonly flags: readonly ('immutable' | 'append-only')[];
};

/** `lsattr -d`: flags, a blank, the path. Lines on standard error are about what has no flags. */
export const parseLsattr = (stdout: string): ReadonlyMap<string, Flagged['flags']> =>
  new Map(
    stdout.split('\n').flatMap((line) => {
      const match = /^([-A-Za-z]{6,})\s+(.*)$/.exec(line);
      if (match === null) return [];
      const [, flags = '', path = ''] = match;
      const found = [
        ...(flags.includes('i') ? (['immutable'] as const) : []),
        ...(flags.includes('a') ? (['append-only'] as const) : []),
      ];
      return found.length === 0 ? [] : [[path, found] as const];
    }),
  );

/** lsattr opens what it is given: a FIFO or device would make it wait. */
const candidates = async (subject: Subject): Promise<ReadonlyMap<string, string>> => {
  const found = await Promise.all(paths.map((path) => subject.files.locate(path)));
  return new Map(
    found
      .filter((one) => one !== null)
      .filter(({ status }) => status.kind === 'file' || status.kind === 'directory')
      .map(({ hostPath, path }) => [hostPath, path]),
  );
};

/** OSTree keeps each deployment's root so; its /var and /etc may be written. */
const isOfDeployment = ({ deployment }: Subject, { path, flags }: Flagged): boolean =>
  deployment !== '' && path === '/' && !flags.includes('append-only');

const isMeant = ({ path, flags }: Flagged): boolean =>
  protectedOften.includes(path) || (path === '/var/log' && !flags.includes('immutable'));

const meaningOf = (flagged: Flagged): string => {
  if (isMeant(flagged)) {
    return 'Mostly meant so, against changes. Password changes and repairs of it fail as long as it is so.';
  }
  return stopping.has(flagged.path)
    ? 'Nothing can be made, removed or renamed in it, not even by root: services and upgrades fail.'
    : 'Not even root can change it: upgrades and repairs fail.';
};

const findingOf = (flagged: Flagged): Finding => {
  const { path, flags } = flagged;
  return {
    id: 'userland.immutable',
    severity: isMeant(flagged) ? 'info' : 'warning',
    title: `${path} is ${flags.join(' and ')}`,
    subject: path,
    evidence: [atFile(path, `file flags: ${flags.join(', ')} (lsattr)`)],
    meaning: meaningOf(flagged),
    repair: 'userland.clear-flags',
  };
};

const flagsOf = async (subject: Subject, hostPaths: readonly string[]): Promise<string> => {
  try {
    const { stdout } = await subject.host.run({
      program: 'lsattr',
      args: ['-d', '--', ...hostPaths],
      // 1: some of them are on a file system without flags.
      accept: [0, 1],
      changes: false,
    });
    return stdout;
  } catch (error) {
    if (isInterruption(error)) throw error;
    throw new RescueError({
      code: 'FLAGS_UNKNOWN',
      message: `File flags were not looked at: ${messageOf(error)}`,
      hint: 'lsattr is part of e2fsprogs.',
      cause: error,
    });
  }
};

const run = async (subject: Subject): Promise<readonly Finding[]> => {
  const known = await candidates(subject);
  if (known.size === 0) return [];
  const flagged = parseLsattr(await flagsOf(subject, [...known.keys()]));
  return [...flagged].flatMap(([hostPath, flags]) => {
    const path = known.get(hostPath);
    if (path === undefined || isOfDeployment(subject, { path, flags })) return [];
    return [findingOf({ path, flags })];
  });
};

/** Immutable and append-only flags (chattr(1)) on files that have to change. */
export const immutableCheck: Check = { area: 'userland', finds: ['userland.immutable'], run };
