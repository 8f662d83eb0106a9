import { type Device, nodeOf } from '../../devices/device.ts';
import { plainText } from '../../host/plain-text.ts';
import { parseSpec } from '../../system-image/fstab-spec.ts';
import { sameDevice } from '../../system-image/target-devices.ts';
import type { Check } from '../check.ts';
import type { Evidence, Finding } from '../finding.ts';
import type { Subject, SubjectDevices } from '../subject.ts';
import { absenceOf } from './absence.ts';
import { specFor } from './replacement.ts';
import { rootNeed, rootNeedsTable } from './root-needs-table.ts';
import { lineEvidence, readTable, type Table, type TableEntry, tablePath } from './table.ts';

const rootEvidence = (device: Device): Evidence => ({
  kind: 'command',
  command: `blkid ${nodeOf(device) ?? device.name}`,
  output: plainText(
    [
      device.uuid === null ? '' : `UUID=${device.uuid}`,
      device.label === null ? '' : `LABEL=${device.label}`,
      `TYPE=${device.fsType ?? 'unknown'}`,
    ].join(' '),
  ),
});

/** All devices of one btrfs are the same file system. */
const isRootDevice = (device: Device, { root, volumes }: SubjectDevices): boolean =>
  sameDevice(device, root) ||
  (device.uuid !== null && device.uuid === root.uuid) ||
  volumes.some(({ shownOn }) =>
    [device, root].every(({ path }) => path !== null && shownOn.includes(path)),
  );

const readOnlyMeaning =
  'The kernel mounts the root read-only and nothing makes it writable afterwards: most services fail, and nothing can be changed or logged.';

const unsureMeaning =
  'What the kernel is told was not seen. With "ro" on its command line the root stays read-only; without it systemd makes it writable, because its partition has the type of a root.';

const wrongRoot = async (
  subject: Subject,
  devices: SubjectDevices,
  table: Table,
  one: TableEntry,
): Promise<readonly Finding[]> => {
  const { entry, resolution } = one;
  const absence = absenceOf(one, subject, devices);
  const elsewhere = resolution?.kind === 'found' && !isRootDevice(resolution.device, devices);
  // A name of an earlier boot tells nothing: on its own machine it may well be right.
  const guessed = ['path', 'by-path', 'by-id'].includes(parseSpec(entry.spec, entry).kind);
  if (absence === null && (!elsewhere || guessed)) return [];
  const stops = absence !== null && !absence.unsure && (await rootNeedsTable(subject));
  return [
    {
      id: 'fstab.wrong-root',
      severity: stops ? 'critical' : absence?.unsure === true ? 'info' : 'warning',
      title: `The line for / names ${plainText(entry.spec)}, which is not the file system that the system is on.`,
      subject: '/',
      evidence: [lineEvidence(table, entry.line), rootEvidence(devices.root)],
      meaning: stops
        ? readOnlyMeaning
        : 'The system boots as the boot loader says; a check or remount by this line means another file system.',
      repair:
        absence?.unsure === true || specFor(devices.root, entry.spec, subject) === null
          ? null
          : 'fstab.set-device',
    },
  ];
};

const absentTable = async (subject: Subject, table: Table): Promise<Finding | null> => {
  const link = await subject.files.link(tablePath);
  const noEntries = table.text !== '' || table.path !== null;
  const text =
    table.path !== null
      ? table.text.trim() === ''
        ? 'is empty'
        : 'has no entry'
      : link === null
        ? 'is missing'
        : `is a link to ${plainText(link)}, where there is no file`;
  return {
    id: 'fstab.missing-table',
    severity: 'critical',
    title: noEntries
      ? '/etc/fstab has no entry.'
      : `/etc/fstab ${link === null ? 'is missing' : 'is a dangling link'}.`,
    subject: tablePath,
    evidence: [{ kind: 'file', path: tablePath, line: null, text }],
    meaning: readOnlyMeaning,
    repair: 'fstab.write-table',
  };
};

const noRoot = (table: Table): Finding => ({
  id: 'fstab.no-root',
  severity: 'critical',
  title: '/etc/fstab has no line for the root file system.',
  subject: tablePath,
  evidence: [
    {
      kind: 'file',
      path: tablePath,
      line: null,
      text: plainText(table.entries.map(({ target }) => target).join(', ')).slice(0, 300),
    },
  ],
  meaning: readOnlyMeaning,
  repair: 'fstab.add-root',
});

/**
 * The line of the root file system, and the table as a whole. The root is not mounted by fstab, but it
 * is made writable by it: systemd-remount-fs.service(8) and the scripts of sysvinit read that line.
 */
export const rootEntry: Check = {
  area: 'fstab',
  finds: ['fstab.wrong-root', 'fstab.missing-table', 'fstab.no-root'],
  run: async (subject) => {
    const { devices } = subject;
    if (devices === null) return [];
    const table = await readTable(subject);
    const root = table.entries.find(({ isRoot }) => isRoot);
    if (root !== undefined) return wrongRoot(subject, devices, table, root);
    const need = await rootNeed(subject);
    if (need === 'no') return [];
    const absent = table.entries.length === 0 ? await absentTable(subject, table) : null;
    const finding = absent ?? noRoot(table);
    return [
      need === 'unsure' ? { ...finding, severity: 'warning', meaning: unsureMeaning } : finding,
    ];
  },
};
