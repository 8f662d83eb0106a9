import { type DpkgPackage, parseDpkgStatus } from '../../system-image/dpkg-status.ts';
import type { SystemFiles } from '../../system-image/system-files.ts';
import type { Check } from '../check.ts';
import type { Evidence, Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { atFile } from './evidence.ts';

const directory = '/var/lib/dpkg';
const statusPath = `${directory}/status`;
/** A desktop's file has some megabytes. */
const maxBytes = 32 * 1024 * 1024;

/** Where dpkg and its daily job keep the state of before. */
export const statusCopies = [`${directory}/status-old`, '/var/backups/dpkg.status.0'] as const;

const halfDone = new Set([
  'half-installed',
  'unpacked',
  'half-configured',
  'triggers-awaited',
  'triggers-pending',
]);

/** Entries that dpkg has written beside the file and not merged yet: they stand above it. */
const journalOf = async (files: SystemFiles): Promise<readonly string[]> =>
  ((await files.list(`${directory}/updates`)) ?? []).filter((name) => /^\d{4}$/.test(name));

export type DpkgState = {
  /** Null: there is no such file. */
  readonly packages: readonly DpkgPackage[] | null;
  readonly journal: readonly string[];
};

/** The state of all packages as dpkg itself would see it. */
export const readDpkgState = async (files: SystemFiles): Promise<DpkgState> => {
  const [status, journal] = await Promise.all([files.read(statusPath, maxBytes), journalOf(files)]);
  if (status === null) return { packages: null, journal };
  const texts = await Promise.all(
    journal.map((name) => files.read(`${directory}/updates/${name}`, maxBytes)),
  );
  const byName = new Map<string, DpkgPackage>();
  for (const text of [status, ...texts]) {
    for (const one of parseDpkgStatus(text ?? '')) {
      byName.set(`${one.name}:${one.architecture}`, one);
    }
  }
  return { packages: [...byName.values()], journal };
};

/** Packages that were begun and not finished. */
export const unfinished = (packages: readonly DpkgPackage[]): readonly DpkgPackage[] =>
  packages.filter(({ state, flag }) => halfDone.has(state) || flag === 'reinstreq');

const asText = ({ name, version, state, flag }: DpkgPackage): string =>
  `${name} ${version}: ${state}${flag === 'ok' ? '' : `, ${flag}`}`;

const halfDoneFinding = (begun: readonly DpkgPackage[], journal: readonly string[]): Finding => ({
  id: 'userland.dpkg-half-done',
  severity: 'warning',
  title:
    begun.length === 0
      ? 'An upgrade was cut off: dpkg has entries that are not merged yet'
      : `An upgrade was cut off: ${begun.length} ${begun.length === 1 ? 'package is' : 'packages are'} not fully installed`,
  subject: 'dpkg',
  evidence: [
    ...begun.slice(0, 8).map((one): Evidence => atFile(statusPath, asText(one))),
    ...(journal.length === 0
      ? []
      : [atFile(`${directory}/updates`, `${journal.length} entries not merged`)]),
  ],
  meaning:
    'Programs, libraries and configuration may be of two releases: services can fail at boot, and apt refuses to install anything.',
  repair: 'userland.dpkg-configure',
});

const lostFinding = (text: string): Finding => ({
  id: 'userland.dpkg-status',
  severity: 'warning',
  title: `The list of installed packages ${text}`,
  subject: statusPath,
  evidence: [atFile(statusPath, text)],
  meaning:
    'dpkg and apt take the system for one without packages: nothing can be upgraded or repaired with them.',
  repair: 'userland.dpkg-status',
});

const run = async ({ files }: Subject): Promise<readonly Finding[]> => {
  const infos = (await files.list(`${directory}/info`)) ?? [];
  // Without records of packages it is no Debian, or an image from which they were taken out.
  if (!infos.some((name) => name.endsWith('.list'))) return [];
  const { packages, journal } = await readDpkgState(files);
  if (packages === null) return [lostFinding('is missing')];
  if (packages.length === 0) return [lostFinding('is empty or damaged')];
  const begun = unfinished(packages);
  return begun.length === 0 && journal.length === 0 ? [] : [halfDoneFinding(begun, journal)];
};

/** What dpkg says of its packages, read as it would after a power cut in the midst of its work. */
export const dpkgStateCheck: Check = {
  area: 'userland',
  finds: ['userland.dpkg-half-done', 'userland.dpkg-status'],
  run,
};
