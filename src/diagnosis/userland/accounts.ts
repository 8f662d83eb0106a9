import { type AccountFile, hasRoot, parseAccounts } from '../../system-image/account-files.ts';
import type { Check } from '../check.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { atFile } from './evidence.ts';

/** Enough for some ten thousand accounts. */
const maxBytes = 4 * 1024 * 1024;

const meanings: Readonly<Record<AccountFile, string>> = {
  passwd: 'No user has a name any more: services do not start as theirs, and nobody can log in.',
  group: 'Groups cannot be found: services that name one fail, and logins lose their groups.',
  shadow: 'There is no password to compare with: logins are refused, also those with an SSH key.',
};

const faultOf = async (subject: Subject, file: AccountFile): Promise<string | null> => {
  const path = `/etc/${file}`;
  const text = await subject.files.read(path, maxBytes);
  if (text === null) {
    return (await subject.files.entry(path)) === null ? 'is missing' : 'is no readable file';
  }
  if (text.trim() === '') return 'is empty';
  if (parseAccounts(text, file).length === 0) return 'has no line that is an account';
  return hasRoot(text, file) ? null : 'has no line for root';
};

/** A system may keep its passwords in passwd itself: rescue images and old ones do. */
const usesShadow = (passwd: string | null): boolean =>
  passwd === null ||
  parseAccounts(passwd, 'passwd').length === 0 ||
  parseAccounts(passwd, 'passwd').some(({ name, fields }) => name === 'root' && fields[1] === 'x');

const findingOf = (file: AccountFile, fault: string): Finding => ({
  id: 'userland.accounts',
  severity: 'critical',
  title: `/etc/${file} ${fault}`,
  subject: `/etc/${file}`,
  evidence: [atFile(`/etc/${file}`, fault)],
  meaning: meanings[file],
  repair: 'userland.restore-accounts',
});

const run = async (subject: Subject): Promise<readonly Finding[]> => {
  // NixOS makes the files when it is activated, and a tree without an init is no system that boots.
  if (subject.facts.os.id === 'nixos' || subject.facts.init === 'unknown') return [];
  const passwd = await subject.files.read('/etc/passwd', maxBytes);
  const files: readonly AccountFile[] = usesShadow(passwd)
    ? ['passwd', 'group', 'shadow']
    : ['passwd', 'group'];
  const faults = await Promise.all(files.map((file) => faultOf(subject, file)));
  return files.flatMap((file, index) => {
    const fault = faults[index] ?? null;
    return fault === null ? [] : [findingOf(file, fault)];
  });
};

/** Account files that are gone, empty or without root. */
export const accountsCheck: Check = { area: 'userland', finds: ['userland.accounts'], run };
