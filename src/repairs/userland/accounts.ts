import type { Change } from '../../changes/change.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import {
  type AccountFile,
  hasRoot,
  numberOf,
  parseAccounts,
} from '../../system-image/account-files.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';

const backups: Readonly<Record<AccountFile, readonly string[]>> = {
  passwd: ['/etc/passwd-', '/var/backups/passwd.bak'],
  group: ['/etc/group-', '/var/backups/group.bak'],
  shadow: ['/etc/shadow-', '/var/backups/shadow.bak'],
};

/** Debian's own first files; a password field of `*` there means that shadow has it. */
const masters: Readonly<Record<AccountFile, string | null>> = {
  passwd: '/usr/share/base-passwd/passwd.master',
  group: '/usr/share/base-passwd/group.master',
  shadow: null,
};

const read = async ({ files }: Subject, path: string): Promise<string | null> =>
  files.readForEdit(path);

/** The newest whole copy: shadow's tools keep the state before the last change beside the file. */
const fromBackup = async (subject: Subject, file: AccountFile): Promise<string | null> => {
  const texts = await Promise.all(backups[file].map((path) => read(subject, path)));
  return texts.find((text) => text !== null && hasRoot(text, file)) ?? null;
};

const fromMaster = async (subject: Subject, file: AccountFile): Promise<string | null> => {
  const path = masters[file];
  const text = path === null ? null : await read(subject, path);
  if (text === null || !hasRoot(text, file)) return null;
  return file === 'passwd' ? text.replace(/^([^:\n]+):\*:/gm, '$1:x:') : text;
};

/** Every account of passwd, locked: passwords cannot be made up, and an empty one lets everybody in. */
const lockedShadow = (passwd: string): string =>
  parseAccounts(passwd, 'passwd')
    .map(({ name }) => `${name}:*:19700:0:99999:7:::\n`)
    .join('');

const minimalRoot = (subject: Subject): Readonly<Record<AccountFile, string>> => ({
  passwd: `root:x:0:0:root:/root:${subject.facts.shell ?? '/bin/sh'}\n`,
  group: 'root:x:0:\n',
  shadow: 'root:*:19700:0:99999:7:::\n',
});

/** Only root's line is put in front of a file whose other accounts are there. */
const withRoot = async (subject: Subject, file: AccountFile, text: string): Promise<string> => {
  const backup = (await fromBackup(subject, file)) ?? '';
  const line = parseAccounts(backup, file).find(({ name }) => name === 'root');
  const root = line === undefined ? minimalRoot(subject)[file] : `${line.fields.join(':')}\n`;
  // A root line that cannot be read would hide the new one from some programs.
  const rest = text.replace(/^root:.*\n?/gm, '');
  return `${root}${rest}`;
};

const contentFor = async (subject: Subject, file: AccountFile): Promise<string | null> => {
  const text = await read(subject, `/etc/${file}`);
  if (text !== null && parseAccounts(text, file).length > 0) return withRoot(subject, file, text);
  const restored = (await fromBackup(subject, file)) ?? (await fromMaster(subject, file));
  if (restored !== null || file !== 'shadow') return restored;
  const passwd = (await read(subject, '/etc/passwd')) ?? '';
  return hasRoot(passwd, 'passwd') ? lockedShadow(passwd) : null;
};

const shadowGroup = async (subject: Subject): Promise<number> => {
  const group = (await read(subject, '/etc/group')) ?? (await read(subject, '/etc/group-')) ?? '';
  return numberOf(group, 'group', 'shadow') ?? 0;
};

const changeFor = async (subject: Subject, path: string, content: string): Promise<Change> => {
  const isNew = (await subject.files.entry(path)) === null;
  const attributes =
    path === '/etc/shadow'
      ? { mode: 0o640, uid: 0, gid: await shadowGroup(subject) }
      : { mode: 0o644, uid: 0, gid: 0 };
  return { kind: 'write-file', path, content, ...(isNew ? { attributes } : {}) };
};

const isFile = (name: string): name is AccountFile => name in backups;

export const accountsRepair: Repair = {
  id: 'userland.restore-accounts',
  stage: 'userland',
  title: 'Restore the account files',
  why: 'Without them no user has a name or a password, and nobody can log in.',
  risk: 'The copy is from before the last change of accounts. Where there is none, Debian’s first accounts are taken, or all passwords are locked: set them with "repair --only access.root-password".',
  proof: 'container',
  plan: async (subject, findings) => {
    const files = findings.map((finding) => finding.subject.replace('/etc/', '')).filter(isFile);
    const contents = await Promise.all(files.map((file) => contentFor(subject, file)));
    const lost = files.filter((_, index) => contents[index] === null);
    if (lost.length > 0) {
      return refused(
        `There is no copy of /etc/${lost.join(', /etc/')} on this disk that has root in it.`,
        'Restore it from a backup of the machine.',
      );
    }
    const changes = await Promise.all(
      files.map((file, index) => changeFor(subject, `/etc/${file}`, contents[index] ?? '')),
    );
    return planned(changes);
  },
};
