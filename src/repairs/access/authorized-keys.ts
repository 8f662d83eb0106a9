import type { Change } from '../../changes/change.ts';
import { readLogins } from '../../diagnosis/access/accounts.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import type { Account } from '../../system-image/accounts.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';

/** Takes the right to write from group and others, as little as sshd asks for. */
const tightened = async (
  { files }: Subject,
  account: Account,
  path: string,
): Promise<readonly Change[]> => {
  const found = await files.locate(path);
  if (found === null) return [];
  const { mode, uid, gid } = found.status;
  const foreign = uid !== 0 && uid !== account.uid;
  const wanted = mode & ~0o022;
  if (!foreign && wanted === mode) return [];
  const owner = foreign ? { uid: account.uid, gid: account.gid } : { uid, gid };
  return [{ kind: 'set-attributes', path: found.path, attributes: { mode: wanted, ...owner } }];
};

/** What StrictModes asks for. */
export const authorizedKeysMode: Repair = {
  id: 'access.authorized-keys-mode',
  stage: 'access',
  title: 'Set owner and mode of the authorized keys as sshd asks for',
  why: 'sshd refuses keys from a file that somebody else could write.',
  risk: 'Others lose the right to write in that home directory.',
  proof: 'container',
  plan: async (subject, findings) => {
    const { people } = await readLogins(subject.files);
    const names = new Set(findings.map((finding) => finding.subject));
    const changes = await Promise.all(
      people
        .filter(({ name }) => names.has(name))
        .flatMap((account) =>
          [account.home, `${account.home}/.ssh`, `${account.home}/.ssh/authorized_keys`].map(
            (path) => tightened(subject, account, path),
          ),
        ),
    );
    return planned(changes.flat());
  },
};

const keyLine = /^(?:[^\s#]\S*\s+)*(?:ssh-|ecdsa-|sk-)\S+ +([A-Za-z0-9+/]{20,}={0,3})(?:\s.*)?$/;

/** The key itself in a line of authorized_keys, whatever options and comment are around it. */
const keyIn = (line: string): string | null => keyLine.exec(line.trim())?.[1] ?? null;

/** The file's text with the key in it once. */
export const withKey = (text: string, key: string): string => {
  const wanted = keyIn(key);
  const there = text.split('\n').some((line) => keyIn(line) === wanted && !/^\s*#/.test(line));
  if (there) return text;
  return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${key.trim()}\n`;
};

const keyChanges = async (
  subject: Subject,
  account: Account,
  key: string,
): Promise<readonly Change[]> => {
  const { files } = subject;
  const directory = `${account.home}/.ssh`;
  const path = `${directory}/authorized_keys`;
  const owner = { uid: account.uid, gid: account.gid };
  const [text, there] = await Promise.all([files.readForEdit(path), files.isDirectory(directory)]);
  const content = withKey(text ?? '', key);
  const modes = await Promise.all(
    [account.home, directory, path].map((each) => tightened(subject, account, each)),
  );
  const write: Change = {
    kind: 'write-file',
    path,
    content,
    ...(text === null ? { attributes: { mode: 0o600, ...owner } } : {}),
  };
  const make: Change = {
    kind: 'make-directory',
    path: directory,
    attributes: { mode: 0o700, ...owner },
  };
  return [...(there ? [] : [make]), ...(content === text ? [] : [write]), ...modes.flat()];
};

/** Adds a key of the person's own, for root or another account. */
export const authorizedKey: Repair = {
  id: 'access.authorized-key',
  stage: 'access',
  title: 'Add your ssh key to an account',
  why: 'With it you can log in once the system is up.',
  risk: 'Whoever has the private key can log in as that account.',
  proof: 'none',
  onlyWhenNamed: true,
  plan: async (subject, _, { wishes }) => {
    const { authorizedKey: key, user } = wishes;
    if (key === null || keyIn(key) === null || /[\n\r]/.test(key.trim())) {
      return refused(
        key === null ? 'no key was given' : 'that is no public key line',
        'Give the file with the public key: --authorized-key ~/.ssh/id_ed25519.pub',
      );
    }
    const { accounts } = await readLogins(subject.files);
    const account = accounts.find(({ name }) => name === (user ?? 'root'));
    const home = account === undefined ? null : await subject.files.status(account.home);
    if (account === undefined || home?.kind !== 'directory') {
      return refused(
        `the system has no account ${user ?? 'root'} with a home directory`,
        `Its accounts: ${accounts
          .map(({ name }) => name)
          .slice(-10)
          .join(', ')}`,
      );
    }
    return planned(await keyChanges(subject, account, key));
  },
};
