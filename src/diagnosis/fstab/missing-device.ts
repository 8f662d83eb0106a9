import { plainText } from '../../host/plain-text.ts';
import type { Check } from '../check.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { type Absence, absenceOf } from './absence.ts';
import { type BootEffect, bootEffect, severityOfEffect } from './boot-effect.ts';
import { evidentReplacement } from './replacement.ts';
import { lineEvidence, readTable, subjectOfEntry, type Table, type TableEntry } from './table.ts';

/** Parts that a system is not itself without: going on without them does harm. */
const indispensable = new Set(['/usr', '/var', '/etc', '/opt', '/var/lib']);

const meaningOf = (effect: BootEffect, subject: Subject, swap: boolean): string => {
  if (swap)
    return subject.facts.init === 'systemd'
      ? 'systemd waits 90 seconds for it and then goes on without this swap space.'
      : 'The boot goes on without this swap space.';
  switch (effect) {
    case 'stops':
      return subject.facts.init === 'systemd'
        ? 'systemd waits 90 seconds for the device and then ends in emergency mode. If it is on a disk that is not attached here and will be there at the next boot, nothing is wrong.'
        : 'The check of the file systems fails and the boot ends in a maintenance shell. If it is on a disk that is not attached here and will be there at the next boot, nothing is wrong.';
    case 'goes-on':
      return 'The system boots, and what is kept there is missing.';
    default:
      return 'The line allows it: the system boots without it.';
  }
};

const repairFor = async (
  subject: Subject,
  table: Table,
  one: TableEntry,
  swap: boolean,
): Promise<string | null> => {
  if ((await evidentReplacement(subject, table, one)) !== null) return 'fstab.set-device';
  return !swap && indispensable.has(one.target) ? null : 'fstab.nofail';
};

const severityOf = (effect: BootEffect, absence: Absence): Finding['severity'] => {
  return absence.unsure ? 'info' : severityOfEffect(effect);
};

const idOf = (swap: boolean, effect: BootEffect): string => {
  if (effect === 'tolerated') return 'fstab.optional-device';
  return swap ? 'fstab.missing-swap' : 'fstab.missing-device';
};

const look = async (
  subject: Subject,
  table: Table,
  one: TableEntry,
): Promise<readonly Finding[]> => {
  const { entry, target } = one;
  const { devices } = subject;
  const absence = devices === null ? null : absenceOf(one, subject, devices);
  const effect = bootEffect(subject.facts.init, entry);
  if (absence === null || effect === 'never') return [];
  const swap = entry.fsType === 'swap';
  const severity = severityOf(effect, absence);
  const spec = plainText(entry.spec);
  return [
    {
      id: idOf(swap, effect),
      severity,
      title: swap
        ? `The swap space ${spec} is not on any attached disk.`
        : `The device ${spec} for ${plainText(target)} is not on any attached disk.`,
      subject: subjectOfEntry(one),
      evidence: [
        lineEvidence(table, entry.line),
        { kind: 'command', command: 'blkid', output: absence.reason },
      ],
      meaning: meaningOf(effect, subject, swap),
      repair: severity === 'info' ? null : await repairFor(subject, table, one, swap),
    },
  ];
};

/** Lines whose device is on none of the attached disks. The root's own line has a check of its own. */
export const missingDevice: Check = {
  area: 'fstab',
  finds: ['fstab.missing-device', 'fstab.missing-swap', 'fstab.optional-device'],
  run: async (subject) => {
    const table = await readTable(subject);
    const others = table.entries.filter(({ target }) => target !== '/');
    return (await Promise.all(others.map((one) => look(subject, table, one)))).flat();
  },
};
