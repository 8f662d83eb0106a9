import { hasPackageDatabase } from '../../system-image/package-database.ts';
import type { Check } from '../check.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { atFile } from './evidence.ts';

const path = '/etc/machine-id';

/** machine-id(5): 32 lower-case hex digits; empty or "uninitialized" is for the first boot. */
export const isMachineId = (text: string): boolean => /^[0-9a-f]{32}\n?$/.test(text);

const isForFirstBoot = (text: string): boolean => text === '' || text.trim() === 'uninitialized';

const missing: Omit<Finding, 'evidence'> = {
  id: 'userland.machine-id-missing',
  severity: 'warning',
  title: 'The file /etc/machine-id is missing',
  subject: path,
  meaning:
    'systemd takes the next boot for the first one ever and enables all services again; while the root is read-only it has no id, and journald and D-Bus fail.',
  repair: 'userland.machine-id',
};

const invalid: Omit<Finding, 'evidence'> = {
  id: 'userland.machine-id-invalid',
  severity: 'warning',
  title: 'The file /etc/machine-id holds no machine id',
  subject: path,
  meaning:
    'While the root is read-only systemd cannot replace it: journald, D-Bus and networkd have no id of the machine and fail.',
  repair: 'userland.machine-id',
};

const run = async (subject: Subject): Promise<readonly Finding[]> => {
  // A rescue image that is unpacked into memory gets a new id each time.
  if (subject.facts.init !== 'systemd' || !(await hasPackageDatabase(subject.files))) return [];
  const [entry, text] = await Promise.all([
    subject.files.entry(path),
    subject.files.read(path, 4096),
  ]);
  if (entry === null) return [{ ...missing, evidence: [atFile(path, 'is missing')] }];
  // A link leads to a place that is made later, in /run or on another file system.
  if (entry.status.kind === 'symlink') return [];
  if (text !== null && (isMachineId(text) || isForFirstBoot(text))) return [];
  const shown = text === null ? 'is no regular file' : `holds ${JSON.stringify(text.slice(0, 40))}`;
  return [{ ...invalid, evidence: [atFile(path, shown)] }];
};

/** The id of the machine. Missing and empty are different things: empty ones are in every image. */
export const machineIdCheck: Check = {
  area: 'userland',
  finds: ['userland.machine-id-missing', 'userland.machine-id-invalid'],
  run,
};
