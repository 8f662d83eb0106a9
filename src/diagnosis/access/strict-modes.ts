import type { FileStatus } from '../../host/files.ts';
import { type Account, type Group, isLocked, parseGroups } from '../../system-image/accounts.ts';
import { readSshService } from '../../system-image/ssh-service.ts';
import { readSshdConfig, type SshdDirective, sshdValue } from '../../system-image/sshd-config.ts';
import type { Check } from '../check.ts';
import { fileEvidence, octalMode } from '../file-evidence.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { type Logins, readLogins } from './accounts.ts';

type Judge = (status: FileStatus, account: Account) => string | null;

/** Debian's sshd takes a file that the account's private group may write. */
const hasPrivateGroup = (account: Account, groups: readonly Group[]): boolean => {
  const group = groups.find(({ gid }) => gid === account.gid);
  return group?.name === account.name && group.members.every((member) => member === account.name);
};

const judgeOf =
  (groups: readonly Group[], debian: boolean): Judge =>
  ({ uid, gid, mode }, account) => {
    if (uid !== 0 && uid !== account.uid)
      return `belongs to user ${uid} and not to ${account.name}`;
    if ((mode & 0o002) !== 0) return `mode ${octalMode(mode)}: everybody may write it`;
    if ((mode & 0o020) === 0) return null;
    const own = debian && gid === account.gid && hasPrivateGroup(account, groups);
    return own ? null : `mode ${octalMode(mode)}: its group may write it`;
  };

type Keys = { readonly account: Account; readonly faults: readonly Fault[] };

type Fault = { readonly path: string; readonly reason: string };

/** sshd looks at the file and at every directory from it up to the home (safe_path of OpenSSH). */
const keysOf = async ({ files }: Subject, account: Account, judge: Judge): Promise<Keys | null> => {
  const file = `${account.home}/.ssh/authorized_keys`;
  if (account.home === '/' || !account.home.startsWith('/') || !(await files.isFilled(file))) {
    return null;
  }
  const places = [file, `${account.home}/.ssh`, account.home];
  const faults = await Promise.all(
    places.map(async (path) => {
      const found = await files.locate(path);
      const reason = found === null ? null : judge(found.status, account);
      return found === null || reason === null ? [] : [{ path: found.path, reason }];
    }),
  );
  return { account, faults: faults.flat() };
};

const findingOf = ({ account, faults }: Keys, severity: Finding['severity']): Finding => ({
  id: 'access.authorized-keys-mode',
  severity,
  title: `sshd does not read the authorized keys of ${account.name}: ${faults[0]?.path ?? ''} has the wrong owner or mode`,
  subject: account.name,
  evidence: faults.map(({ path, reason }) => fileEvidence(path, null, reason)),
  meaning:
    'sshd trusts the file only when nobody else can write it (StrictModes); the key is refused.',
  repair: 'access.authorized-keys-mode',
});

/** Somebody has a password, and sshd asks for it. */
const passwordEnters = (
  directives: readonly SshdDirective[],
  { people, shadow }: Logins,
): boolean => {
  const value = (keyword: string) => sshdValue(directives, keyword)?.[0]?.toLowerCase();
  if (value('passwordauthentication') === 'no') return false;
  const rootToo = value('permitrootlogin') === 'yes';
  return people.some(({ name }) => {
    const password = shadow.find((entry) => entry.name === name)?.password ?? '';
    return password !== '' && !isLocked(password) && (name !== 'root' || rootToo);
  });
};

/** Owner and mode of what sshd must be able to trust before it takes a key. */
export const strictModesCheck: Check = {
  area: 'access',
  finds: ['access.authorized-keys-mode'],
  run: async (subject) => {
    const { files, facts } = subject;
    const [service, directives, logins, groupText] = await Promise.all([
      readSshService(files),
      readSshdConfig(files),
      readLogins(files),
      files.read('/etc/group'),
    ]);
    const strict = sshdValue(directives, 'strictmodes')?.[0]?.toLowerCase() !== 'no';
    const where = sshdValue(directives, 'authorizedkeysfile');
    // Another place for the keys is the administrator's own arrangement.
    const usual =
      where === null || where.some((path) => /^(%h\/)?\.ssh\/authorized_keys$/.test(path));
    if (service.program === null || !strict || !usual) return [];
    const debian = /debian|ubuntu|raspbian|mint|devuan|pop|kali/.test(facts.os.id ?? '');
    const judge = judgeOf(parseGroups(groupText ?? ''), debian);
    const all = await Promise.all(logins.people.map((account) => keysOf(subject, account, judge)));
    const keys = all.filter((each) => each !== null);
    const refused = keys.filter(({ faults }) => faults.length > 0);
    const nobodyLeft =
      service.enabled && refused.length === keys.length && !passwordEnters(directives, logins);
    return refused.map((each) => findingOf(each, nobodyLeft ? 'critical' : 'warning'));
  },
};
