import { rootIsLocked } from '../../system-image/account-files.ts';
import type { Check } from '../check.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { atFile, octal } from './evidence.ts';

const setuid = 0o4000;

/** Where each stands: before and after the merge of /usr. */
const programs: readonly (readonly string[])[] = [
  ['/usr/bin/sudo'],
  ['/usr/bin/su', '/bin/su'],
  ['/usr/bin/mount', '/bin/mount'],
  ['/usr/bin/passwd'],
];

/** dpkg-statoverride(1): the administrator's own word on a file's mode. */
const overridden = async (subject: Subject): Promise<ReadonlySet<string>> => {
  const text = (await subject.files.read('/var/lib/dpkg/statoverride')) ?? '';
  return new Set(text.split('\n').map((line) => line.trim().split(/\s+/)[3] ?? ''));
};

type Lost = { readonly path: string; readonly mode: number; readonly uid: number };

const lostOf = async (subject: Subject, paths: readonly string[]): Promise<Lost | null> => {
  const found = await Promise.all(paths.map((path) => subject.files.entry(path)));
  for (const entry of found) {
    if (entry?.status.kind !== 'file' || !paths.includes(entry.path)) continue;
    const { mode, uid } = entry.status;
    // A shifted owner is that of a container whose users are mapped.
    if (uid >= 65536) return null;
    return (mode & setuid) === 0 || uid !== 0 ? { path: entry.path, mode, uid } : null;
  }
  return null;
};

const findingOf = ({ path, mode, uid }: Lost, shutsOut: boolean): Finding => ({
  id: 'userland.setuid-lost',
  severity: shutsOut ? 'critical' : 'warning',
  title: `${path} does not run with root's rights any more`,
  subject: path,
  evidence: [
    atFile(path, `mode ${octal(mode)}, owner ${uid}; expected the set-user-id bit and owner 0`),
  ],
  meaning: shutsOut
    ? 'The root account is locked, and without sudo nobody can become root.'
    : 'People who are not root cannot use it.',
  repair: 'userland.known-modes',
});

const run = async (subject: Subject): Promise<readonly Finding[]> => {
  const [overrides, shadow, lost] = await Promise.all([
    overridden(subject),
    subject.files.read('/etc/shadow'),
    Promise.all(programs.map((paths) => lostOf(subject, paths))),
  ]);
  const unexpected = lost.filter((one) => one !== null).filter(({ path }) => !overrides.has(path));
  const sudo = unexpected.some(({ path }) => path === '/usr/bin/sudo');
  // One of su, mount and passwd alone is more often hardening than an accident.
  if (!sudo && unexpected.length < 2) return [];
  return unexpected.map((one) =>
    findingOf(one, one.path === '/usr/bin/sudo' && rootIsLocked(shadow ?? '')),
  );
};

/** Programs that lost their set-user-id bit: a copy without it, chown(1), or chmod(1). */
export const setuidCheck: Check = { area: 'userland', finds: ['userland.setuid-lost'], run };
