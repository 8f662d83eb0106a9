import { nsswitchPath as path, servicesOf } from '../../system-image/nsswitch.ts';
import type { Check } from '../check.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { atFile } from './evidence.ts';

/** Modules that know the accounts of /etc/passwd; `compat` and `db` read them, too. */
const local = ['files', 'compat', 'altfiles', 'db', 'extrausers', 'systemd', 'cache'];

const finding = (title: string, text: string, line: number | null): Finding => ({
  id: 'userland.nsswitch',
  severity: line === null ? 'warning' : 'critical',
  title,
  subject: line === null ? path : `${path}:${line}`,
  evidence: [atFile(path, text, line)],
  meaning:
    line === null
      ? 'The C library falls back to its own defaults: names of hosts and users of other sources are not found.'
      : 'Accounts in /etc are not looked up: root and the users of services do not exist for programs.',
  repair: 'userland.nsswitch',
});

/** Debian's libc-bin brings the file as configuration; musl and busybox do not know it. */
const shouldHaveIt = async ({ files }: Subject): Promise<boolean> => {
  const lists = await Promise.all(
    ['base-files', 'libc-bin'].map((name) => files.read(`/var/lib/dpkg/info/${name}.list`)),
  );
  const template = await files.status('/usr/share/base-files/nsswitch.conf');
  return template !== null || lists.some((text) => text?.split('\n').includes(path) === true);
};

const run = async (subject: Subject): Promise<readonly Finding[]> => {
  const text = await subject.files.read(path, 64 * 1024);
  if (text === null || text.trim() === '') {
    if (!(await shouldHaveIt(subject))) return [];
    const what = text === null ? 'is missing' : 'is empty';
    return [finding(`${path} ${what}`, what, null)];
  }
  return ['passwd', 'group', 'shadow'].flatMap((database) => {
    const found = servicesOf(text, database);
    if (found === null || found.services.some((service) => local.includes(service))) return [];
    return [
      finding(`${path} does not look for ${database} in the files of /etc`, found.text, found.line),
    ];
  });
};

/** Where programs look for accounts. */
export const nsswitchCheck: Check = { area: 'userland', finds: ['userland.nsswitch'], run };
