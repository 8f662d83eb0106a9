import { dirname } from 'node:path/posix';
import { plainText } from '../../host/plain-text.ts';
import { parseSpec } from '../../system-image/fstab-spec.ts';
import type { Check } from '../check.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { diskTypes } from './absence.ts';
import { type BootEffect, bootEffect, severityOfEffect } from './boot-effect.ts';
import { isUp } from './mount-point.ts';
import { lineEvidence, readTable, subjectOfEntry, type Table, type TableEntry } from './table.ts';
import { readMountUnits } from './unit-file.ts';

const readOnlyTypes = new Set(['squashfs', 'erofs', 'iso9660', 'udf']);

/**
 * The file or directory of the system itself that a line stands on; null when it needs none. systemd
 * makes the source of a bind mount (systemd.mount(5)), scripts do not. What a type of FUSE takes its
 * first field for is its own matter: `/disks/*` of mergerfs is no file.
 */
const neededPath = ({ facts }: Subject, { entry }: TableEntry): string | null => {
  const spec = parseSpec(entry.spec, entry);
  if (spec.kind === 'file') {
    const isImage = entry.fsType
      .split(',')
      .some((type) => diskTypes.has(type) || readOnlyTypes.has(type));
    return isImage ? spec.path : null;
  }
  return spec.kind === 'bind' && facts.init !== 'systemd' ? spec.path : null;
};

/** What lies on a part that is not up here cannot be seen. */
const isHidden = (subject: Subject, table: Table, path: string): boolean =>
  table.entries.some(
    (other) =>
      other.target !== '/' &&
      other.target.startsWith('/') &&
      path.startsWith(`${other.target}/`) &&
      !isUp(subject, other),
  );

/**
 * Where something may be mounted that fstab does not name, so that what lies there cannot be seen: by
 * a unit of its own, which systemd starts for whatever needs the path (systemd.mount(5)), or on an
 * empty directory, by ZFS or autofs for instance. Null when the path is all the root's own.
 */
const otherMount = async (subject: Subject, path: string): Promise<string | null> => {
  const units = subject.facts.init === 'systemd' ? await readMountUnits(subject) : [];
  const places = units.flatMap(({ values }) => values.get('Where')?.replace(/\/+$/, '') || []);
  const place = places.find((where) => path.startsWith(`${where}/`));
  if (place !== undefined) return place;
  let there = dirname(path);
  while (there !== '/' && (await subject.files.status(there)) === null) there = dirname(there);
  return (await subject.files.list(there))?.length === 0 ? there : null;
};

const meaningOf = (effect: BootEffect, swap: boolean): string => {
  if (effect === 'tolerated') return 'The line allows it: the system boots without it.';
  if (swap) return 'The boot goes on without this swap space.';
  return effect === 'stops'
    ? 'The mount fails, and the boot ends in emergency mode or a maintenance shell.'
    : 'The system boots, and what is kept there is missing.';
};

const look = async (
  subject: Subject,
  table: Table,
  one: TableEntry,
): Promise<readonly Finding[]> => {
  const { entry } = one;
  const path = neededPath(subject, one);
  const effect = bootEffect(subject.facts.init, entry);
  if (path === null || effect === 'never' || isHidden(subject, table, path)) return [];
  if ((await subject.files.status(path)) !== null) return [];
  const swap = entry.fsType === 'swap';
  const name = plainText(path);
  const other = await otherMount(subject, path);
  const isInfo = effect === 'tolerated' || other !== null;
  return [
    {
      id: 'fstab.missing-file',
      severity: other === null ? severityOfEffect(effect) : 'info',
      title: swap
        ? `The swap file ${name} does not exist.`
        : `${name}, which is to be mounted on ${plainText(one.target)}, does not exist.`,
      subject: subjectOfEntry(one),
      evidence: [
        lineEvidence(table, entry.line),
        { kind: 'file', path: name, line: null, text: 'is missing' },
      ],
      meaning:
        other === null
          ? meaningOf(effect, swap)
          : `It may be there when the system runs: what is mounted on ${plainText(other)} then is not in fstab, and is not seen here.`,
      repair: isInfo ? null : 'fstab.nofail',
    },
  ];
};

/** Swap files, images and directories that fstab names and that are not there. */
export const missingFile: Check = {
  area: 'fstab',
  finds: ['fstab.missing-file'],
  run: async (subject) => {
    const table = await readTable(subject);
    const others = table.entries.filter(({ target }) => target !== '/');
    return (await Promise.all(others.map((one) => look(subject, table, one)))).flat();
  },
};
