import { type Account, parsePasswd } from '../../system-image/accounts.ts';
import { programInside } from '../../system-image/init.ts';
import { firstInside } from '../../system-image/inside.ts';
import { editLines } from '../edit-lines.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';

const shadowPath = '/etc/shadow';

type Fields = Readonly<Record<number, string>>;

const withFields =
  (fields: Fields) =>
  (line: string): string => {
    const parts = line.split(':');
    while (parts.length < 9) parts.push('');
    return parts.map((part, index) => fields[index] ?? part).join(':');
  };

/** Sets fields of one account's line; null when there is no such line. */
export const setShadow = (
  text: string,
  name: string,
  fieldsOf: (line: readonly string[]) => Fields,
): string | null => {
  const lines = text.split('\n');
  const index = lines.findIndex((line) => line.startsWith(`${name}:`));
  const line = lines[index];
  if (line === undefined) return null;
  return editLines(text, new Map([[index + 1, withFields(fieldsOf(line.split(':')))]]));
};

// Empty means: never inactive, never expires; an old password must not be too old either.
const noExpiry: Fields = { 6: '', 7: '' };
const noAging: Fields = { 4: '', ...noExpiry };

const dayOf = (now: Date): string => String(Math.floor(now.getTime() / 86_400_000));

/** Sets root's password, or takes the lock from the one it has. */
export const rootPassword: Repair = {
  id: 'access.root-password',
  stage: 'access',
  title: 'Set or unlock the password of root',
  why: 'Without it nobody can log in as root on the console.',
  risk: 'Whoever knows the password can log in as root on the console, and where sshd allows it.',
  proof: 'none',
  onlyWhenNamed: true,
  plan: async ({ files, now }, _, { wishes }) => {
    const text = await files.readForEdit(shadowPath);
    const locked = /^root:!+(\$[^:]+)/m.exec(text ?? '')?.[1] ?? null;
    const hash = wishes.rootPasswordHash ?? locked;
    if (hash !== null && /[:\n\r]/.test(hash)) {
      return refused('that is no hash of crypt(5)', 'Give the new password again.');
    }
    if (hash === null) {
      return refused(
        'no new password was given, and there is no locked one to unlock',
        'Give a file with one: --root-password-file FILE, or - for standard input.',
      );
    }
    const content = setShadow(text ?? '', 'root', (line) => {
      if (line[1] === hash) return noExpiry;
      return wishes.rootPasswordHash === null
        ? { ...noAging, 1: hash }
        : { ...noExpiry, 1: hash, 2: dayOf(now) };
    });
    if (content === null) {
      return refused('/etc/shadow has no line for root', 'Mend /etc/shadow first.');
    }
    return planned(content === text ? [] : [{ kind: 'write-file', path: shadowPath, content }]);
  },
};

/** Takes away the date by which PAM turns the account away. */
export const accountExpiry: Repair = {
  id: 'access.account-expiry',
  stage: 'access',
  title: 'Take the expiry from the accounts that administer the system',
  why: 'PAM refuses an expired account with a password as well as with a key.',
  risk: 'If the account was to expire, it no longer does.',
  proof: 'container',
  plan: async ({ files }, findings) => {
    const text = await files.readForEdit(shadowPath);
    if (text === null) return refused('/etc/shadow cannot be read', 'Mend /etc/shadow first.');
    let content = text;
    for (const { subject } of findings) {
      content = setShadow(content, subject, () => noExpiry) ?? content;
    }
    return planned(content === text ? [] : [{ kind: 'write-file', path: shadowPath, content }]);
  },
};

const shells = ['/bin/bash', '/usr/bin/bash', '/bin/sh', '/usr/bin/sh'];

const withShell =
  (account: Account, shell: string) =>
  (line: string): string =>
    line.split(':')[0] === account.name ? [...line.split(':').slice(0, 6), shell].join(':') : line;

/** Gives accounts whose shell is gone one that is there. */
export const loginShell: Repair = {
  id: 'access.login-shell',
  stage: 'access',
  title: 'Give the accounts a login shell that is on the disk',
  why: 'An account whose shell does not exist cannot log in.',
  risk: "The account's own shell has to be set again once it is installed.",
  proof: 'container',
  plan: async ({ files, host, root }, findings) => {
    const shell = await firstInside(
      shells,
      async (path) => (await programInside(host.files, root, path)) !== null,
    );
    const text = await files.readForEdit('/etc/passwd');
    if (shell === null || text === null) {
      return refused('there is no shell on the disk', 'Reinstall bash in a rescue shell.');
    }
    const names = new Set(findings.map(({ subject }) => subject));
    const edits = parsePasswd(text)
      .filter(({ name }) => names.has(name))
      .map((account) => [account.line, withShell(account, shell)] as const);
    return planned([
      { kind: 'write-file', path: '/etc/passwd', content: editLines(text, new Map(edits)) },
    ]);
  },
};
