import { flattenDevice } from '../../devices/device.ts';
import { usrTypes } from '../../system-image/partition-types.ts';
import type { Check } from '../check.ts';
import type { Evidence, Finding } from '../finding.ts';
import { bootEntriesOf } from '../kernel/started-kernels.ts';
import type { Subject } from '../subject.ts';
import { atFile } from './evidence.ts';

/** Directories that are links into /usr where /usr is merged (file-hierarchy(7)). */
const linkNames = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];

/** Mount points of the kernel's own file systems: PID 1 mounts them before it does anything else. */
const stopsTheBoot = ['/dev', '/proc', '/sys', '/run', '/etc', '/usr'];

/** /usr is a file system of its own that could not be mounted: everything in it looks gone. */
const usrIsElsewhere = ({ mounts }: Subject): boolean =>
  mounts.some(({ target, state }) => target === '/usr' && state !== 'mount');

const whatIsThere = async (subject: Subject, path: string): Promise<Evidence> => {
  const [link, entry] = await Promise.all([subject.files.link(path), subject.files.entry(path)]);
  if (link !== null) return atFile(path, `is a link to ${link}, which is not there`);
  return atFile(path, entry === null ? 'is missing' : 'is no directory');
};

const linkFinding = async (subject: Subject, path: string): Promise<Finding> => ({
  id: 'userland.missing-link',
  severity: 'critical',
  title: `${path} is missing or leads nowhere`,
  subject: path,
  evidence: [await whatIsThere(subject, path)],
  meaning: path.startsWith('/lib')
    ? 'No program of the system finds its dynamic loader or libraries; the kernel cannot start the init.'
    : 'Programs are called by this path; without it the kernel finds no init and scripts find no shell.',
  repair: 'userland.relink',
});

const directoryFinding = async (subject: Subject, path: string): Promise<Finding> => ({
  id: 'userland.missing-directory',
  severity: stopsTheBoot.includes(path) ? 'critical' : 'warning',
  title: `The directory ${path} is missing`,
  subject: path,
  evidence: [await whatIsThere(subject, path)],
  meaning: stopsTheBoot.includes(path)
    ? 'The boot needs it before anything could make it: the root is still mounted read-only then.'
    : 'Programs that keep files there fail.',
  repair: 'userland.make-directories',
});

/** What `facts.missing` leaves out because a system can be without it, and Debian's never are. */
const more = ['/var/tmp', '/var/log', '/var/lib', '/root'];

/**
 * A deployment of OSTree has links such as /tmp (`sysroot/tmp`) and /root (`var/roothome`) that lead
 * somewhere only when it runs: its /var is bound over an empty directory then.
 */
const leadsOutOfDeployment = async (subject: Subject, path: string): Promise<boolean> =>
  subject.deployment !== '' && /^\/?(?:var|sysroot)\//.test((await subject.files.link(path)) ?? '');

const missingBelowVar = async (subject: Subject): Promise<readonly string[]> => {
  if (subject.deployment !== '') return [];
  const known = subject.facts.missing.includes('/var');
  const applies = ['systemd', 'sysvinit'].includes(subject.facts.init) && !known;
  if (!applies || subject.facts.os.id === 'nixos') return [];
  const there = await Promise.all(more.map((path) => subject.files.isDirectory(path)));
  return more.filter((_, index) => there[index] === false);
};

const mountedElsewhere = ({ mounts }: Subject, path: string): boolean =>
  mounts.some(
    ({ target, state }) =>
      state !== 'mount' && target !== '/' && (path === target || path.startsWith(`${target}/`)),
  );

/** Words by which an initramfs is told where /usr is (systemd-fstab-generator(8), verity). */
const usrWords = /(?:^|\s)(?:mount\.usr|mount\.usrflags|verity\.usr|usrhash)=/;

/**
 * Whether the initramfs mounts /usr from what fstab does not name: the directory is there and empty,
 * and a partition of that type or the kernel's command line says so. Without such a sign an empty
 * /usr is a system whose programs are gone.
 */
const isMountedByInitramfs = async (subject: Subject): Promise<boolean> => {
  const names = await subject.files.list('/usr');
  if (names === null || names.length > 0) return false;
  const disks = (subject.devices?.disks ?? []).flatMap(flattenDevice);
  if (disks.some(({ partition }) => usrTypes.has(partition?.type?.toLowerCase() ?? '')))
    return true;
  return (await bootEntriesOf(subject)).some(({ options }) => usrWords.test(options));
};

const usrFinding: Finding = {
  id: 'userland.missing-directory',
  severity: 'info',
  title: '/usr is mounted by the initramfs, and not seen here',
  subject: '/usr',
  evidence: [atFile('/usr', 'is an empty directory, and fstab has no line for it')],
  meaning: 'The programs of the system were not looked at.',
  repair: null,
};

/** The loader alone is a file and no part of the layout: `programs.ts` reports it. */
const isTop = (path: string): boolean => /^\/[^/]+$/.test(path);

const run = async (subject: Subject): Promise<readonly Finding[]> => {
  if (usrIsElsewhere(subject)) return [];
  const missing = [...subject.facts.missing.filter(isTop), ...(await missingBelowVar(subject))];
  const outside = await Promise.all(missing.map((path) => leadsOutOfDeployment(subject, path)));
  const gone = missing.filter((path, index) => !outside[index] && !mountedElsewhere(subject, path));
  const isUsrLater = await isMountedByInitramfs(subject);
  const found = await Promise.all(
    gone
      .filter((path) => !(isUsrLater && linkNames.includes(path)))
      .map((path) =>
        linkNames.includes(path) ? linkFinding(subject, path) : directoryFinding(subject, path),
      ),
  );
  return isUsrLater ? [usrFinding, ...found] : found;
};

/** Top-level links and directories without which a system does not start. */
export const layoutCheck: Check = {
  area: 'userland',
  finds: ['userland.missing-link', 'userland.missing-directory'],
  run,
};
