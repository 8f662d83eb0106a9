import { firstInside } from './inside.ts';
import type { SystemFiles } from './system-files.ts';
import { readUnits, startsAtBoot, type Units } from './units.ts';

export type SshService = {
  /** Path of sshd; null when there is none. */
  readonly program: string | null;
  /** Something starts it at boot. */
  readonly enabled: boolean;
  readonly units: Units;
};

/** Names that distributions give the service. */
export const sshServiceNames = ['ssh', 'sshd', 'openssh', 'openssh-daemon'] as const;

/** Whether the system has OpenSSH's server, and whether it starts. */
export const readSshService = async (files: SystemFiles): Promise<SshService> => {
  const [program, units] = await Promise.all([
    firstInside(['/usr/sbin/sshd', '/usr/bin/sshd'], (path) => files.isFilled(path)),
    readUnits(files),
  ]);
  const enabled = program !== null && (await startsAtBoot(files, units, sshServiceNames));
  return { program, enabled, units };
};

/** sshd has a few MB, and since 9.8 most of it is in a program beside it. */
const maxProgramBytes = 16 * 1024 * 1024;

const parts = ['sshd-session', 'sshd-auth'].flatMap((name) =>
  ['/usr/lib/openssh', '/usr/libexec/openssh', '/usr/lib/ssh', '/usr/libexec', '/usr/sbin'].map(
    (place) => `${place}/${name}`,
  ),
);

/** The bytes of sshd's programs, for what only they know: keywords, and what they are linked to. */
export const sshdBytes = async (files: SystemFiles, program: string): Promise<Buffer> => {
  const all = await Promise.all(
    [program, ...parts].map((path) => files.bytes(path, maxProgramBytes)),
  );
  return Buffer.concat(all.filter((bytes) => bytes !== null));
};
