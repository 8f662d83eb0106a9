import { plainText } from '../../host/plain-text.ts';
import { resolveSpec } from '../../system-image/resolve-spec.ts';
import { administratorUnits } from '../../system-image/systemd-units.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';
import type { Evidence, Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { absenceOf } from './absence.ts';
import { resolveContextOf } from './table.ts';
import { type MountUnit, readMountUnits, unitNameFor } from './unit-file.ts';

/** Values with specifiers or quotes are systemd's to expand. */
const isPlain = (value: string): boolean => !/[%"']/.test(value);

const lineOf = ({ path, text }: MountUnit, key: string): Evidence => {
  const lines = text.split('\n');
  const index = lines.findLastIndex((line) => line.trim().startsWith(`${key}=`));
  return fileEvidence(path, index + 1, lines[index] ?? '');
};

const linkEvidence = ({ name, pulledInBy }: MountUnit): readonly Evidence[] =>
  pulledInBy
    .slice(0, 3)
    .map((by) => fileEvidence(`${administratorUnits}/${by}/${name}`, null, 'pulls it in at boot'));

const isRequired = ({ pulledInBy }: MountUnit): boolean =>
  pulledInBy.some((by) =>
    /^(?:local-fs|sysinit|basic|multi-user|graphical|default)\.target\.requires$/.test(by),
  );

const misnamed = (unit: MountUnit): readonly Finding[] => {
  const where = unit.values.get('Where');
  const suffix = unit.name.slice(unit.name.lastIndexOf('.') + 1);
  if (where === undefined || suffix === 'swap' || !where.startsWith('/') || !isPlain(where))
    return [];
  const wanted = unitNameFor(where, suffix);
  if (wanted === unit.name || unit.pulledInBy.length === 0) return [];
  const required = isRequired(unit);
  return [
    {
      id: 'fstab.unit-name',
      severity: required ? 'critical' : 'warning',
      title: `The unit ${plainText(unit.name)} mounts ${plainText(where)} and must be named ${wanted}.`,
      subject: plainText(unit.name),
      evidence: [lineOf(unit, 'Where'), ...linkEvidence(unit)],
      meaning: required
        ? 'systemd refuses the unit, and with it the target that requires it: the file systems are not mounted, the root stays read-only.'
        : 'systemd refuses the unit: it is not mounted.',
      repair: 'fstab.rename-unit',
    },
  ];
};

const waiting = (subject: Subject, unit: MountUnit): readonly Finding[] => {
  const { devices } = subject;
  const what = unit.values.get('What');
  if (devices === null || what === undefined || !isPlain(what) || unit.pulledInBy.length === 0)
    return [];
  const swap = unit.name.endsWith('.swap');
  const entry = {
    line: 0,
    spec: what,
    target: swap ? 'none' : (unit.values.get('Where') ?? ''),
    fsType: swap ? 'swap' : (unit.values.get('Type') ?? 'auto'),
    options: (unit.values.get('Options') ?? '').split(','),
    dump: 0,
    pass: 0,
  };
  const resolution = resolveSpec(entry, resolveContextOf(subject, devices, [devices.root]));
  const absence = absenceOf(
    { entry, target: entry.target, isRoot: false, resolution, kernel: null },
    subject,
    devices,
  );
  if (absence === null) return [];
  const required = isRequired(unit);
  const severity = required && !absence.unsure ? 'critical' : 'info';
  return [
    {
      id: 'fstab.unit-device',
      severity,
      title: `The unit ${plainText(unit.name)} waits for ${plainText(what)}, which is not on any attached disk.`,
      subject: plainText(unit.name),
      evidence: [lineOf(unit, 'What'), ...linkEvidence(unit)],
      meaning: required
        ? 'systemd waits 90 seconds for the device, and what requires the unit then fails: the boot ends in emergency mode.'
        : 'systemd waits 90 seconds for the device and then boots without it.',
      repair: severity === 'critical' ? 'fstab.want-unit' : null,
    },
  ];
};

/** Mount and swap units that systemd refuses, or that wait for a device that is not there. */
export const mountUnits: Check = {
  area: 'fstab',
  finds: ['fstab.unit-name', 'fstab.unit-device'],
  run: async (subject) => {
    if (subject.facts.init !== 'systemd') return [];
    const units = await readMountUnits(subject);
    return units.flatMap((unit) => [...misnamed(unit), ...waiting(subject, unit)]);
  },
};
