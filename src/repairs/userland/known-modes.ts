import type { Attributes, Change } from '../../changes/change.ts';
import type { Finding } from '../../diagnosis/finding.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import { type KnownMode, knownModes } from '../../diagnosis/userland/known-modes.ts';
import type { FileStatus } from '../../host/files.ts';
import { numberOf } from '../../system-image/account-files.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';

/** Only the difference, so that what is right already is no change. */
const difference = (wanted: Required<Attributes>, status: FileStatus): Attributes | null => {
  const same =
    wanted.mode === status.mode && wanted.uid === status.uid && wanted.gid === status.gid;
  return same ? null : wanted;
};

type Numbers = (known: Pick<KnownMode, 'user' | 'group'>) => { uid: number; gid: number } | null;

/** Names of users and groups as this system numbers them. */
const numbersOf = async ({ files }: Subject): Promise<Numbers> => {
  const [passwd, group] = await Promise.all([files.read('/etc/passwd'), files.read('/etc/group')]);
  return (known) => {
    const uid = known.user === undefined ? 0 : numberOf(passwd ?? '', 'passwd', known.user);
    const gid = known.group === undefined ? 0 : numberOf(group ?? '', 'group', known.group);
    return uid === null || gid === null ? null : { uid, gid };
  };
};

/** dpkg-statoverride(1): `USER GROUP MODE PATH`; what it says stands above the table. */
const overridesOf = async ({ files }: Subject): Promise<readonly KnownMode[]> => {
  const text = (await files.read('/var/lib/dpkg/statoverride')) ?? '';
  return text.split('\n').flatMap((line) => {
    const [user, group, mode, path] = line.trim().split(/\s+/);
    if (user === undefined || group === undefined || path === undefined) return [];
    return /^[0-7]{3,5}$/.test(mode ?? '')
      ? [{ path, user, group, mode: Number.parseInt(mode ?? '', 8) }]
      : [];
  });
};

/** A setuid program keeps what an administrator or distribution took away from it for others. */
const wantedMode = (known: KnownMode, status: FileStatus): number =>
  (known.mode & 0o7000) === 0o4000 && known.mode === 0o4755
    ? 0o4000 | (status.mode & 0o755)
    : known.mode;

const changeFor = async (
  subject: Subject,
  numbers: Numbers,
  known: KnownMode,
): Promise<readonly Change[]> => {
  const entry = await subject.files.entry(known.path);
  if (entry === null || entry.path !== known.path || entry.status.kind === 'symlink') return [];
  const owner = numbers(known);
  if (owner === null) return [];
  const attributes = difference({ mode: wantedMode(known, entry.status), ...owner }, entry.status);
  return attributes === null ? [] : [{ kind: 'set-attributes', path: known.path, attributes }];
};

/** After a chmod or chown over the whole tree all entries count, otherwise only those found. */
const entriesFor = async (
  subject: Subject,
  findings: readonly Finding[],
): Promise<readonly KnownMode[]> => {
  const all = new Map(
    [...knownModes, ...(await overridesOf(subject))].map((known) => [known.path, known]),
  );
  if (findings.some(({ id }) => id.startsWith('userland.mass-'))) return [...all.values()];
  return findings.flatMap(({ subject: path }) => all.get(path) ?? []);
};

export const knownModesRepair: Repair = {
  id: 'userland.known-modes',
  stage: 'userland',
  title: 'Set owner and mode of the important files and directories again',
  why: 'sudo, sshd, D-Bus and services refuse to work with other rights, or people other than root cannot reach them.',
  risk: 'Only files whose right mode is known are set. After a chmod or chown over the whole disk many others stay wrong: reinstall the packages, and look at the data of services.',
  proof: 'container',
  plan: async (subject, findings) => {
    const [numbers, entries] = await Promise.all([
      numbersOf(subject),
      entriesFor(subject, findings),
    ]);
    const changes = await Promise.all(entries.map((known) => changeFor(subject, numbers, known)));
    if (changes.flat().length === 0) {
      return refused(
        'Nothing of it is in the table of known modes.',
        'Set owner and mode by hand: the rescue shell has chown and chmod.',
      );
    }
    return planned(changes.flat());
  },
};
