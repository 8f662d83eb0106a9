import { flattenDevice } from '../../devices/device.ts';
import { plainText } from '../../host/plain-text.ts';
import { lineText } from '../../system-image/edit-fields.ts';
import { resolveContainer } from '../../system-image/resolve-spec.ts';
import type { CrypttabEntry } from '../../system-image/system-facts.ts';
import { sameDevice } from '../../system-image/target-devices.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { containerAbsence } from './absence.ts';
import { bootEffect } from './boot-effect.ts';
import { crypttabOptions } from './crypttab-options.ts';
import { readTable, resolveContextOf, type Table } from './table.ts';

export const crypttabPath = '/etc/crypttab';

const has = (entry: CrypttabEntry, name: string): boolean =>
  entry.options.some((option) => option.split('=', 1)[0] === name);

/** Lines of fstab that mount what a line of crypttab opens. */
export const linesUsing = (table: Table, { name }: CrypttabEntry): Table['entries'] =>
  table.entries.filter(({ entry }) => entry.spec === `/dev/mapper/${name}`);

/**
 * cryptsetup.target is only wanted by sysinit.target: without the volume the boot goes on, unless a
 * mount that local-fs.target requires is on it.
 */
const severityOf = (subject: Subject, table: Table, entry: CrypttabEntry): Finding['severity'] => {
  if (has(entry, 'noauto') || has(entry, 'nofail')) return 'info';
  const stops = linesUsing(table, entry).some(
    (one) => one.entry.fsType !== 'swap' && bootEffect(subject.facts.init, one.entry) === 'stops',
  );
  return stops ? 'critical' : 'warning';
};

/** Sources of random keys, programs that make keys, and keys on devices that are not looked into. */
const isKeyFile = (entry: CrypttabEntry): boolean =>
  entry.keyFile?.startsWith('/') === true &&
  !entry.keyFile.startsWith('/dev/') &&
  !entry.keyFile.startsWith('/run/') &&
  !entry.keyFile.includes(':') &&
  !has(entry, 'keyscript');

const keyIsMissing = async (
  subject: Subject,
  table: Table,
  entry: CrypttabEntry,
): Promise<boolean> => {
  const { keyFile } = entry;
  if (keyFile === null || !isKeyFile(entry)) return false;
  const hidden = table.entries.some(
    ({ target }) =>
      target !== '/' &&
      keyFile.startsWith(`${target}/`) &&
      !subject.mounts.some((mount) => mount.target === target && mount.state === 'mount'),
  );
  return !hidden && (await subject.files.status(keyFile)) === null;
};

/** The root is on it: without it nothing boots, so it is not to be left out. */
const holdsRoot = (subject: Subject, entry: CrypttabEntry): boolean => {
  const { devices } = subject;
  if (devices === null) return false;
  const found = resolveContainer(entry, resolveContextOf(subject, devices));
  return (
    found.kind === 'found' &&
    flattenDevice(found.device).some((device) => sameDevice(device, devices.root))
  );
};

const meaningOf = (severity: Finding['severity'], key: boolean): string => {
  const start = key
    ? 'Without the key file the passphrase is asked for at the console, and the boot waits for it'
    : 'systemd waits 90 seconds for the device and gives up the encrypted volume';
  if (severity === 'critical')
    return `${start}; a mount that the boot requires is on it, so it ends in emergency mode.`;
  return severity === 'warning'
    ? `${start}; the system boots without it.`
    : 'The line allows the system to boot without it.';
};

const look = async (
  subject: Subject,
  table: Table,
  text: string,
  entry: CrypttabEntry,
): Promise<readonly Finding[]> => {
  const { devices } = subject;
  const line = fileEvidence(crypttabPath, entry.line, lineText(text, entry.line));
  const absence = devices === null ? null : containerAbsence(entry, subject, devices);
  const severity = absence?.unsure === true ? 'info' : severityOf(subject, table, entry);
  const name = plainText(entry.name);
  const repair = severity === 'info' || holdsRoot(subject, entry) ? null : 'fstab.crypttab-nofail';
  if (absence !== null) {
    const title = `The device of the encrypted volume ${name} is not on any attached disk.`;
    const evidence = [line, { kind: 'command', command: 'blkid', output: absence.reason } as const];
    const meaning = meaningOf(severity, false);
    return [
      { id: 'fstab.crypttab-device', severity, title, subject: name, evidence, meaning, repair },
    ];
  }
  if (!(await keyIsMissing(subject, table, entry))) return [];
  return [
    {
      id: 'fstab.crypttab-key',
      severity,
      title: `The key file of the encrypted volume ${name} does not exist.`,
      subject: name,
      evidence: [line, fileEvidence(entry.keyFile ?? '', null, 'is missing')],
      meaning: meaningOf(severity, true),
      repair,
    },
  ];
};

const strangeOptions = (text: string, entry: CrypttabEntry): readonly Finding[] => {
  const strange = entry.options.filter(
    (option) => !crypttabOptions.has(option.split('=', 1)[0] ?? '') && !option.startsWith('x-'),
  );
  if (strange.length === 0) return [];
  return [
    {
      id: 'fstab.crypttab-option',
      severity: 'info',
      title: `The line of ${plainText(entry.name)} in /etc/crypttab has options that are not known: ${plainText(strange.join(', ')).slice(0, 80)}.`,
      subject: plainText(entry.name),
      evidence: [fileEvidence(crypttabPath, entry.line, lineText(text, entry.line))],
      meaning: 'They are ignored with a message in the log; what they were to do is not done.',
      repair: null,
    },
  ];
};

/** Encrypted volumes that are opened at boot: is their device there, and their key? */
export const crypttab: Check = {
  area: 'fstab',
  finds: ['fstab.crypttab-device', 'fstab.crypttab-key', 'fstab.crypttab-option'],
  run: async (subject) => {
    const { facts, files } = subject;
    if (facts.crypttab.length === 0) return [];
    const [table, text] = await Promise.all([readTable(subject), files.read(crypttabPath)]);
    const found = await Promise.all(
      facts.crypttab.map((entry) => look(subject, table, text ?? '', entry)),
    );
    return [
      ...found.flat(),
      ...facts.crypttab.flatMap((entry) => strangeOptions(text ?? '', entry)),
    ];
  },
};
