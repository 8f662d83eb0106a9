import {
  type Account,
  isLocked,
  isNoLogin,
  parseGroups,
  parsePasswd,
  parseShadow,
  type ShadowEntry,
} from '../../system-image/accounts.ts';
import { programInside } from '../../system-image/init.ts';
import type { SystemFiles } from '../../system-image/system-files.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';

export type Logins = {
  readonly accounts: readonly Account[];
  readonly shadow: readonly ShadowEntry[];
  /** Root and the accounts of people and cloud users that have a shell. */
  readonly people: readonly Account[];
  /** Names in a group that usually may use sudo, without root. */
  readonly administrators: ReadonlySet<string>;
};

const adminGroups = new Set(['sudo', 'wheel', 'admin']);

/** The accounts that a person can log in with. */
export const readLogins = async (files: SystemFiles): Promise<Logins> => {
  const [passwd, shadowText, groupText] = await Promise.all(
    ['/etc/passwd', '/etc/shadow', '/etc/group'].map((path) => files.read(path)),
  );
  const accounts = parsePasswd(passwd ?? '');
  const groups = parseGroups(groupText ?? '').filter(({ name }) => adminGroups.has(name));
  const gids = new Set(groups.map(({ gid }) => gid));
  const people = accounts.filter(
    ({ name, uid, shell }) =>
      (name === 'root' || (uid >= 500 && uid < 65_000)) && !isNoLogin(shell),
  );
  const primary = people.filter(({ gid }) => gids.has(gid)).map(({ name }) => name);
  return {
    accounts,
    shadow: parseShadow(shadowText ?? ''),
    people,
    administrators: new Set([...groups.flatMap(({ members }) => members), ...primary]),
  };
};

/** Shells of the base system: when one of them is gone, the program has to come back. */
const baseShells = /^(?:\/usr)?\/bin\/(?:ba|da|a)?sh$/;

const shellFinding = (account: Account, text: string): Finding => {
  const root = account.name === 'root';
  return {
    id: root ? 'access.root-shell-missing' : 'access.shell-missing',
    severity: root ? 'critical' : 'warning',
    title: `The login shell of ${account.name}, ${account.shell}, is not on the disk`,
    subject: account.name,
    evidence: [fileEvidence('/etc/passwd', account.line, text)],
    meaning: root
      ? 'Root cannot log in, nor get a shell in rescue or emergency mode.'
      : 'This account cannot log in.',
    repair: 'access.login-shell',
  };
};

/** NixOS and Guix link their programs below /run; a part that could not be mounted is not seen. */
const isElsewhere = ({ mounts }: Subject, path: string): boolean =>
  path.startsWith('/run/') ||
  mounts.some(
    ({ target, state }) => state !== 'mount' && target !== '/' && path.startsWith(`${target}/`),
  );

const shellFindings = async (subject: Subject, { people }: Logins): Promise<readonly Finding[]> => {
  const { files, host, root } = subject;
  const lines = ((await files.read('/etc/passwd')) ?? '').split('\n');
  const listed = ((await files.read('/etc/shells')) ?? '').split('\n').map((line) => line.trim());
  const found = await Promise.all(
    people.map(async (account) => {
      const { shell, line, name } = account;
      const text = lines[line - 1] ?? '';
      if (shell === '' || baseShells.test(shell) || isElsewhere(subject, shell)) return null;
      if ((await programInside(host.files, root, shell)) === null)
        return shellFinding(account, text);
      if (listed.length < 2 || listed.includes(shell)) return null;
      return {
        id: 'access.shell-unlisted',
        severity: 'info' as const,
        title: `The login shell of ${name}, ${shell}, is not in /etc/shells`,
        subject: name,
        evidence: [fileEvidence('/etc/passwd', line, text)],
        meaning: 'Services that ask pam_shells (ftp, su of some systems) turn the account away.',
        repair: null,
      };
    }),
  );
  return found.filter((finding) => finding !== null);
};

const dayMilliseconds = 86_400_000;

/** Why PAM turns the account away today, by shadow(5); null when it does not. */
export const expiryReason = (entry: ShadowEntry, today: number): string | null => {
  const { expires, lastChange, maxDays, inactiveDays } = entry;
  if (expires !== null && expires >= 0 && today >= expires) {
    const day = new Date(expires * dayMilliseconds);
    return `the account expired on ${Number.isNaN(day.getTime()) ? expires : day.toISOString().slice(0, 10)}`;
  }
  if (lastChange === 0) return 'the password must be changed at the next login';
  if (lastChange === null || maxDays === null || maxDays < 0) return null;
  const late = today - (lastChange + maxDays);
  if (inactiveDays !== null && inactiveDays >= 0 && late > inactiveDays) {
    return `the password is too old by ${late} days, and the account is inactive because of that`;
  }
  return late > 0 ? `the password is too old by ${late} days` : null;
};

/** A forced change can be made at the login; the others end it. */
const shutsOut = (reason: string): boolean => /expired on|inactive/.test(reason);

const expiryFindings = (logins: Logins, lines: readonly string[], now: Date) => {
  const today = Math.floor(now.getTime() / dayMilliseconds);
  const { people, shadow, administrators } = logins;
  const reasons = new Map(shadow.map((entry) => [entry.name, expiryReason(entry, today)] as const));
  const administer = people.filter(({ name }) => name === 'root' || administrators.has(name));
  const allOut = administer.every(({ name }) => shutsOut(reasons.get(name) ?? ''));
  return shadow.flatMap((entry): readonly Finding[] => {
    const reason = reasons.get(entry.name) ?? null;
    const matters = administer.some(({ name }) => name === entry.name);
    if (!matters || reason === null || !(shutsOut(reason) || !isLocked(entry.password))) return [];
    const out = shutsOut(reason);
    return [
      {
        id: 'access.account-expired',
        severity: !out ? 'info' : allOut ? 'critical' : 'warning',
        title: `${entry.name} cannot log in as usual: ${reason}`,
        subject: entry.name,
        // The line holds the password's hash: only the fields of its age are shown.
        evidence: [fileEvidence('/etc/shadow', entry.line, agingOf(lines[entry.line - 1] ?? ''))],
        meaning: out
          ? 'PAM refuses the account, with a password as well as with a key.'
          : 'The login asks for a new password; scripts and keys stop there.',
        repair: out ? 'access.account-expiry' : null,
      },
    ];
  });
};

const agingOf = (line: string): string => {
  const [name = '', , ...aging] = line.split(':');
  return [name, '…', ...aging].join(':');
};

const rootLocked = ({ shadow }: Logins): readonly Finding[] => {
  const root = shadow.find(({ name }) => name === 'root');
  if (root === undefined || !isLocked(root.password)) return [];
  return [
    {
      id: 'access.root-locked',
      severity: 'info',
      title: 'Root has no password to log in with',
      subject: 'root',
      evidence: [fileEvidence('/etc/shadow', root.line, 'root:! or *, no password fits')],
      meaning:
        'Usual on cloud images. On the console nobody can log in as root, and emergency mode gives no shell.',
      repair: 'access.root-password',
    },
  ];
};

/** Who can log in: shells, expired accounts, a locked root. */
export const accountsCheck: Check = {
  area: 'access',
  finds: [
    ...['access.root-shell-missing', 'access.shell-missing', 'access.shell-unlisted'],
    ...['access.account-expired', 'access.root-locked'],
  ],
  run: async (subject) => {
    const { files, now } = subject;
    const logins = await readLogins(files);
    const lines = ((await files.read('/etc/shadow')) ?? '').split('\n');
    return [
      ...(await shellFindings(subject, logins)),
      ...expiryFindings(logins, lines, now),
      ...rootLocked(logins),
    ];
  },
};
