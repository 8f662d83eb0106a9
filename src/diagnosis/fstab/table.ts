import type { Device } from '../../devices/device.ts';
import { plainText } from '../../host/plain-text.ts';
import { volumesOfCommandLine } from '../../system-image/command-line-volumes.ts';
import { lineText } from '../../system-image/edit-fields.ts';
import { firstRoot, normalTarget, parseFstab } from '../../system-image/fstab.ts';
import {
  type Resolution,
  type ResolveContext,
  resolveSpec,
} from '../../system-image/resolve-spec.ts';
import type { CrypttabEntry, FstabEntry, SystemFacts } from '../../system-image/system-facts.ts';
import { compareVersions } from '../../system-image/version-compare.ts';
import type { Evidence } from '../finding.ts';
import { bootEntriesOf, startedKernels } from '../kernel/started-kernels.ts';
import type { Subject, SubjectDevices } from '../subject.ts';

export const tablePath = '/etc/fstab';

export type TableEntry = {
  readonly entry: FstabEntry;
  /** Mount point without doubled slashes. */
  readonly target: string;
  /** Whether it is the line of the root file system: of several the first. */
  readonly isRoot: boolean;
  /** Null when nothing can be said of devices. */
  readonly resolution: Resolution | null;
  /** Version of the kernel that will mount it: of several the oldest. Null when it is not known. */
  readonly kernel: string | null;
};

export type Table = {
  /** Where the file really is, when /etc/fstab is a link; null when there is none. */
  readonly path: string | null;
  /** Empty when there is none. */
  readonly text: string;
  readonly entries: readonly TableEntry[];
  readonly problems: SystemFacts['fstabProblems'];
};

/** Against what the system's names are resolved: the attached disks and the system's own tables. */
export const resolveContextOf = (
  subject: Subject,
  devices: SubjectDevices,
  taken: readonly Device[] = [],
  rootSpec?: string,
): ResolveContext => ({
  devices: devices.disks,
  rootDisk: devices.disk,
  taken,
  crypttab: subject.facts.crypttab,
  arrays: subject.facts.arrays,
  volumes: devices.volumes,
  ...(rootSpec === undefined ? {} : { rootSpec }),
});

/** What the initramfs opens without crypttab, by the command lines of all entries. */
const openedByCommandLine = async (subject: Subject): Promise<readonly CrypttabEntry[]> =>
  (await bootEntriesOf(subject)).flatMap(({ options }) => volumesOfCommandLine(options));

const resolveAll = (
  subject: Subject,
  entries: readonly FstabEntry[],
  root: FstabEntry | null,
  opened: readonly CrypttabEntry[],
): ReadonlyMap<FstabEntry, Resolution> => {
  const { devices } = subject;
  if (devices === null) return new Map();
  const others = entries.filter((entry) => normalTarget(entry.target) !== '/');
  const first = {
    ...resolveContextOf(subject, devices, [devices.root], root?.spec),
    crypttab: [...subject.facts.crypttab, ...opened],
  };
  const certain = others.flatMap((entry) => {
    const found = resolveSpec(entry, first);
    return found.kind === 'found' && found.how === 'exact' ? [found.device] : [];
  });
  const context = { ...first, taken: [devices.root, ...certain] };
  return new Map(
    entries.map((entry) => [
      entry,
      // The root itself may be what its own line means by a name of an earlier boot.
      resolveSpec(entry, normalTarget(entry.target) === '/' ? { ...context, taken: [] } : context),
    ]),
  );
};

const oldestStarted = async (subject: Subject): Promise<string | null> =>
  (await startedKernels(subject)).map(({ version }) => version).toSorted(compareVersions)[0] ??
  null;

const tableOf = async (
  subject: Subject,
  read: (path: string) => Promise<string | null>,
): Promise<Table> => {
  const place = await subject.files.locate(tablePath);
  const text = await read(tablePath);
  if (place === null || text === null) return { path: null, text: '', entries: [], problems: [] };
  const { entries, problems } = parseFstab(text);
  const root = firstRoot(entries);
  const kernel = await oldestStarted(subject);
  const resolutions = resolveAll(subject, entries, root, await openedByCommandLine(subject));
  return {
    path: place.path,
    text,
    entries: entries.map((entry) => ({
      entry,
      target: normalTarget(entry.target),
      isRoot: entry === root,
      resolution: resolutions.get(entry) ?? null,
      kernel,
    })),
    problems,
  };
};

/** Reads /etc/fstab and resolves its lines against the attached disks, never against the host's. */
export const readTable = (subject: Subject): Promise<Table> => tableOf(subject, subject.files.read);

/**
 * The same with a text that can be edited and written back.
 *
 * @throws RescueError `NOT_EDITED` (4).
 */
export const readTableForEdit = (subject: Subject): Promise<Table> =>
  tableOf(subject, subject.files.readForEdit);

/** Key of a finding about a line: the mount point stays when lines above it come or go. */
export const subjectOfEntry = ({ entry, target }: TableEntry): string =>
  plainText(
    entry.fsType === 'swap'
      ? `swap ${entry.spec}`
      : `${target} ${target === '/' ? '' : entry.spec}`,
  );

export const lineEvidence = (table: Pick<Table, 'text'>, line: number): Evidence => ({
  kind: 'file',
  path: tablePath,
  line,
  text: plainText(lineText(table.text, line)).slice(0, 300),
});
