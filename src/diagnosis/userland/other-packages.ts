import type { Check } from '../check.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { atFile } from './evidence.ts';

const pacmanLock = '/var/lib/pacman/db.lck';

const lockFinding: Finding = {
  id: 'userland.package-lock',
  severity: 'warning',
  title: 'A pacman that was cut off has left its lock behind',
  subject: pacmanLock,
  evidence: [atFile(pacmanLock, 'is there, and no pacman runs on a disk that is attached')],
  meaning:
    'pacman refuses to work; the upgrade that it was at may be half done, the kernel and its initramfs included.',
  repair: 'userland.package-lock',
};

type Database = {
  readonly name: string;
  /** Directory that only a system of this kind has. */
  readonly directory: string;
  /** One of these must be there and filled. */
  readonly files: readonly string[];
};

const databases: readonly Database[] = [
  {
    name: 'rpm',
    directory: '/usr/lib/sysimage/rpm',
    files: ['rpmdb.sqlite', 'Packages', 'Packages.db'],
  },
  { name: 'rpm', directory: '/var/lib/rpm', files: ['rpmdb.sqlite', 'Packages', 'Packages.db'] },
  { name: 'apk', directory: '/lib/apk/db', files: ['installed'] },
  { name: 'apk', directory: '/usr/lib/apk/db', files: ['installed'] },
];

const databaseFinding = ({ name, directory, files }: Database): Finding => ({
  id: 'userland.package-database',
  severity: 'warning',
  title: `The database of ${name} is missing or empty`,
  subject: directory,
  evidence: files.slice(0, 1).map((file) => atFile(`${directory}/${file}`, 'is missing or empty')),
  meaning:
    'The package manager takes the system for one without packages: nothing can be upgraded or repaired with it.',
  repair: null,
});

const isLost = async (subject: Subject, { directory, files }: Database): Promise<boolean> => {
  const [names, filled] = await Promise.all([
    subject.files.list(directory),
    Promise.all(files.map((file) => subject.files.isFilled(`${directory}/${file}`))),
  ]);
  // An empty directory belongs to tools that only could have packages.
  return names !== null && names.length > 0 && !filled.includes(true);
};

const run = async (subject: Subject): Promise<readonly Finding[]> => {
  const [lock, lost] = await Promise.all([
    subject.files.entry(pacmanLock),
    Promise.all(databases.map((database) => isLost(subject, database))),
  ]);
  return [
    ...(lock === null ? [] : [lockFinding]),
    ...databases.filter((_, index) => lost[index] === true).map(databaseFinding),
  ];
};

/** Package managers other than dpkg: what an interrupted upgrade or a power cut leaves of them. */
export const otherPackagesCheck: Check = {
  area: 'userland',
  finds: ['userland.package-lock', 'userland.package-database'],
  run,
};
