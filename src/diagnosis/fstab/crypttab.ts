import { nodeOf } from '../../devices/device.ts';
import { plainText } from '../../host/plain-text.ts';
import { lineText } from '../../system-image/edit-fields.ts';
import type { CrypttabEntry } from '../../system-image/system-facts.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';
import type { Evidence, Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { type Absence, containerAbsence } from './absence.ts';
import { bootEffect } from './boot-effect.ts';
import { crypttabCopies, staleCopies } from './crypttab-copies.ts';
import { crypttabOptions } from './crypttab-options.ts';
import { type RootLine, rootLineOf } from './root-container.ts';
import { readTable, type Table } from './table.ts';

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

const rootMeaning =
  'The root is on it. Where the initramfs has this line (it has a copy of its own), the passphrase is never asked for and the boot ends in the shell of the initramfs; where it still has an older line, that comes with its next update.';

const laterMeaning =
  'The root is on it. The initramfs still has a line that opens the root; with its next update the root is no longer opened, and until then systemd waits 90 seconds for the device.';

/** With what the root is on, a line is never one to be left out. */
const rootFinding = (
  line: Evidence,
  absence: Absence,
  name: string,
  root: RootLine & { readonly kind: 'wrong' },
  copyOpens: boolean,
): Finding => {
  const node = root.container === null ? null : nodeOf(root.container);
  const where = node === null ? '' : `; the root is in ${node}`;
  // The line by whose name the root is mounted means this container, whatever else is not open.
  const unsure = absence.unsure && !root.named;
  return {
    id: 'fstab.crypttab-device',
    severity: unsure ? 'info' : copyOpens ? 'warning' : 'critical',
    title: `The device of the encrypted volume ${name}, which the root is on, is not on any attached disk.`,
    subject: name,
    evidence: [
      line,
      { kind: 'command', command: 'blkid', output: `${absence.reason}${plainText(where)}` },
    ],
    meaning: copyOpens ? laterMeaning : rootMeaning,
    repair: unsure ? null : 'fstab.crypttab-source',
  };
};

const look = async (
  subject: Subject,
  table: Table,
  text: string,
  entry: CrypttabEntry,
  copiesOpen: boolean,
): Promise<readonly Finding[]> => {
  const { devices } = subject;
  const line = fileEvidence(crypttabPath, entry.line, lineText(text, entry.line));
  const absence = devices === null ? null : containerAbsence(entry, subject, devices);
  const root = await rootLineOf(subject, table, entry);
  const name = plainText(entry.name);
  if (absence !== null && root.kind === 'wrong') {
    return [rootFinding(line, absence, name, root, copiesOpen)];
  }
  const severity = absence?.unsure === true ? 'info' : severityOf(subject, table, entry);
  const repair = severity === 'info' || root.kind !== 'none' ? null : 'fstab.crypttab-nofail';
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

/** Lines that are read in another way than they were meant, or not at all. */
const malformed = (text: string): readonly Finding[] =>
  text.split('\n').flatMap((raw, index) => {
    const content = raw.replace(/^\ufeff/, '').trim();
    if (content === '' || content.startsWith('#')) return [];
    const reason = /^\S+$/.test(content)
      ? 'there is only one field: no device is given'
      : raw.startsWith('\ufeff')
        ? 'a byte order mark stands before it, and is a part of the name'
        : raw.endsWith('\r')
          ? 'it ends with a carriage return (a file from Windows), which scripts take for a part of the last field'
          : null;
    if (reason === null) return [];
    return [
      {
        id: 'fstab.crypttab-line',
        severity: 'warning',
        title: `Line ${index + 1} of /etc/crypttab is malformed: ${reason}.`,
        subject: plainText(content).slice(0, 100),
        evidence: [fileEvidence(crypttabPath, index + 1, raw)],
        meaning: 'The volume is not opened at boot, or not as it was meant.',
        repair: null,
      },
    ];
  });

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
  finds: [
    'fstab.crypttab-device',
    'fstab.crypttab-key',
    'fstab.crypttab-option',
    'fstab.crypttab-line',
    'fstab.crypttab-initramfs',
  ],
  run: async (subject) => {
    const { facts, files } = subject;
    const [table, text] = await Promise.all([readTable(subject), files.read(crypttabPath)]);
    const copies = await crypttabCopies(subject, table);
    const copiesOpen = copies.length > 0 && copies.every(({ state }) => state === 'opens');
    const found = await Promise.all(
      facts.crypttab.map((entry) => look(subject, table, text ?? '', entry, copiesOpen)),
    );
    return [
      ...malformed(text ?? ''),
      ...found.flat(),
      ...staleCopies(copies),
      ...facts.crypttab.flatMap((entry) => strangeOptions(text ?? '', entry)),
    ];
  },
};
