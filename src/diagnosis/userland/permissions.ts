import type { FileStatus } from '../../host/files.ts';
import { hasPackageDatabase } from '../../system-image/package-database.ts';
import type { Check } from '../check.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { atFile, octal } from './evidence.ts';
import {
  type KnownMode,
  knownModes,
  openDirectories,
  temporaryDirectories,
} from './known-modes.ts';

/** An entry of the table that is there, as the thing that the path leads to. */
type Seen = { readonly known: KnownMode; readonly path: string; readonly status: FileStatus };

const othersWrite = 0o002;
const othersEnter = 0o001;

/** A path that is a link elsewhere (busybox's su, the merged /bin) is another file's business. */
const look = async (subject: Subject, known: KnownMode): Promise<Seen | null> => {
  const entry = await subject.files.entry(known.path);
  if (entry === null || entry.path !== known.path || entry.status.kind === 'symlink') return null;
  return { known, path: entry.path, status: entry.status };
};

const lookAll = async (subject: Subject, table: readonly KnownMode[]): Promise<readonly Seen[]> =>
  (await Promise.all(table.map((known) => look(subject, known)))).filter((seen) => seen !== null);

/** The root of a container with mapped users: everything belongs to a user from a range of its own. */
const isMapped = ({ uid }: FileStatus): boolean => uid >= 65536;

const asText = ({ mode, uid, gid }: FileStatus): string =>
  `mode ${octal(mode)}, owner ${uid}, group ${gid}`;

const evidenceOf = ({ path, status }: Seen) => atFile(path, asText(status));

/** Number of files of the table from which on it was no single chmod or chown. */
const many = 5;

const massModes = (seen: readonly Seen[]): readonly Seen[] =>
  seen.filter(
    ({ known, status }) =>
      (status.mode & othersWrite) !== 0 &&
      (known.mode & othersWrite) === 0 &&
      known.path !== '/dev',
  );

const massOwners = (seen: readonly Seen[]): readonly Seen[] =>
  seen.filter(({ known, status }) => known.user === undefined && status.uid !== 0);

const massFinding = (wrong: readonly Seen[], what: 'modes' | 'owners'): Finding => ({
  id: `userland.mass-${what}`,
  severity: 'critical',
  title:
    what === 'modes'
      ? `Everybody may write to ${wrong.length} of the system's most important files: a "chmod -R" went over it.`
      : `${wrong.length} of the system's most important files do not belong to root: a "chown -R" went over it.`,
  subject: '/',
  evidence: wrong.slice(0, 8).map(evidenceOf),
  meaning:
    'sudo, su and sshd refuse files with such rights, set-user-id bits are lost, and services that check their files do not start.',
  repair: 'userland.known-modes',
});

const openFinding = (seen: Seen): Finding => {
  const { path, status } = seen;
  const shut = (status.mode & othersEnter) === 0;
  return {
    id: status.uid === 0 ? 'userland.directory-mode' : 'userland.directory-owner',
    severity: shut ? 'critical' : 'warning',
    title:
      status.uid === 0
        ? `The directory ${path} has mode ${octal(status.mode)}.`
        : `The directory ${path} belongs to user ${status.uid} and not to root.`,
    subject: path,
    evidence: [evidenceOf(seen)],
    meaning: shut
      ? 'Services and people other than root cannot walk through it: D-Bus, name resolution, sshd and logins fail.'
      : 'Its owner, or everybody, can replace what is in it; sshd, sudo and systemd-tmpfiles refuse such paths.',
    repair: 'userland.known-modes',
  };
};

const openIsWrong = ({ path, status }: Seen): boolean => {
  if (status.kind !== 'directory') return false;
  // /dev and /run get a file system of their own before anybody looks; these are their mount points.
  if (path === '/dev' || path === '/run') return false;
  if (status.uid !== 0 || (status.mode & othersWrite) !== 0) return true;
  // Closed on purpose in many places: /home, /etc/ssh, /var/log and others.
  return throughway.has(path) && (status.mode & othersEnter) === 0;
};

const throughway = new Set(
  '/ /etc /usr /usr/bin /usr/lib /usr/share /bin /lib /lib64 /usr/lib64 /var /var/lib'.split(' '),
);

const temporaryFinding = (seen: Seen): Finding => ({
  id: 'userland.tmp-mode',
  severity: 'warning',
  title: `${seen.path} has mode ${octal(seen.status.mode)} and not 1777`,
  subject: seen.path,
  evidence: [evidenceOf(seen)],
  meaning:
    'Services and people other than root cannot make temporary files, or can remove those of others.',
  repair: 'userland.known-modes',
});

const temporaryIsWrong = ({ status }: Seen): boolean =>
  status.kind === 'directory' && (status.mode !== 0o1777 || status.uid !== 0);

const run = async (subject: Subject): Promise<readonly Finding[]> => {
  const top = await subject.files.status('/');
  if (top === null || isMapped(top) || !(await hasPackageDatabase(subject.files))) return [];
  const all = await lookAll(subject, knownModes);
  const [modes, owners] = [massModes(all), massOwners(all)];
  const mass = [
    ...(modes.length >= many ? [massFinding(modes, 'modes')] : []),
    ...(owners.length >= many ? [massFinding(owners, 'owners')] : []),
  ];
  if (mass.length > 0) return mass;
  const open = all.filter(({ known }) => openDirectories.includes(known)).filter(openIsWrong);
  const temporary = all.filter(({ known }) => temporaryDirectories.includes(known));
  return [...open.map(openFinding), ...temporary.filter(temporaryIsWrong).map(temporaryFinding)];
};

/** Owners and modes of the directories that everything else stands on. */
export const permissionsCheck: Check = {
  area: 'userland',
  finds: [
    'userland.mass-modes',
    'userland.mass-owners',
    'userland.directory-mode',
    'userland.directory-owner',
    'userland.tmp-mode',
  ],
  run,
};
