import type { Finding } from '../../diagnosis/finding.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';

const root = { uid: 0, gid: 0 };

/** The files that the evidence of the findings names. */
const pathsOf = (findings: readonly Finding[]): readonly string[] => [
  ...new Set(
    findings.flatMap(({ evidence }) =>
      evidence.flatMap((each) => (each.kind === 'file' ? [each.path] : [])),
    ),
  ),
];

/** Only the owner may read a private key. */
export const hostKeyMode: Repair = {
  id: 'access.host-key-mode',
  stage: 'access',
  title: 'Give the private host keys back to root alone',
  why: 'sshd does not use a private key that others can read.',
  risk: 'None. Who could read the key may have copied it: consider new keys.',
  proof: 'container',
  plan: async (_, findings) =>
    planned(
      pathsOf(findings).map((path) => ({
        kind: 'set-attributes',
        path,
        attributes: { mode: 0o600, ...root },
      })),
    ),
};

const keygen = ['/usr/bin/ssh-keygen', '-A'];

/** ssh-keygen -A leaves a key alone that is there, even a broken one. */
const brokenKeys = (findings: readonly Finding[]): readonly string[] =>
  findings
    .filter(({ id }) => id === 'access.host-key-broken')
    .flatMap(({ subject }) => [subject, `${subject}.pub`]);

/** Makes the keys that are missing with the system's own ssh-keygen. */
export const makeHostKeys: Repair = {
  id: 'access.make-host-keys',
  stage: 'access',
  title: 'Make new host keys for the ssh server',
  why: 'sshd does not start without a host key.',
  risk: 'Clients that know the machine by its old key are warned, and must be told of the new one.',
  proof: 'container',
  plan: async (subject, findings, { bench }) => {
    if (!(await subject.files.isFilled(keygen[0] ?? ''))) {
      return refused(
        'ssh-keygen is not on the disk',
        'Reinstall openssh-client in a rescue shell with network.',
      );
    }
    const broken = brokenKeys(findings);
    const commands = [...(broken.length === 0 ? [] : [['/bin/rm', '-f', ...broken]]), keygen];
    const { results, changes } = await bench(commands.map((words) => ({ words })));
    const failed = results.find(({ exitCode }) => exitCode !== 0);
    if (failed !== undefined || results.length === 0) {
      return refused(
        `ssh-keygen could not make the keys: ${failed?.stderr.trim() ?? 'it could not be run'}`,
        'Run `ssh-keygen -A` in a rescue shell.',
      );
    }
    return planned(changes, commands);
  },
};
