import { plainText } from '../../host/plain-text.ts';
import { isBindMount } from '../../system-image/fstab-spec.ts';
import type { Check } from '../check.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { bootEffect, severityOfEffect } from './boot-effect.ts';
import { lineEvidence, readTable, subjectOfEntry, type Table, type TableEntry } from './table.ts';

const isMounted = ({ entry, target }: TableEntry): boolean =>
  target.startsWith('/') && target !== '/' && entry.fsType !== 'swap';

/** Whether the part is mounted here, so that what lies on it can be seen. */
export const isUp = (subject: Subject, { target }: TableEntry): boolean =>
  subject.mounts.some((mount) => mount.target === target && mount.state === 'mount');

/** What stands in the way; null when the mount point can be used. */
const obstacle = async (
  { files, facts }: Subject,
  { target }: TableEntry,
): Promise<'missing' | 'empty-file' | 'other' | null> => {
  const place = await files.locate(target);
  if (place !== null) {
    if (place.status.kind === 'directory') return null;
    return place.status.kind === 'file' && place.status.sizeBytes === 0 ? 'empty-file' : 'other';
  }
  // systemd makes the directory, also through a dangling link (systemd.mount(5)); scripts do not.
  return facts.init === 'systemd' || (await files.link(target)) !== null ? null : 'missing';
};

const wordsOf = { missing: 'does not exist', 'empty-file': 'is a file', other: 'is no directory' };

const look = async (
  subject: Subject,
  table: Table,
  one: TableEntry,
): Promise<readonly Finding[]> => {
  const { entry } = one;
  // A bind mount of a file has a file for its mount point, and what lies below another mount that is
  // not up here cannot be seen.
  const hidden = table.entries.some(
    (other) =>
      isMounted(other) && one.target.startsWith(`${other.target}/`) && !isUp(subject, other),
  );
  if (isBindMount(entry) || hidden) return [];
  const effect = bootEffect(subject.facts.init, entry, true);
  const found = await obstacle(subject, one);
  if (found === null || effect === 'never') return [];
  const target = plainText(one.target);
  return [
    {
      id: 'fstab.mount-point',
      severity: severityOfEffect(effect),
      title: `The mount point ${target} ${wordsOf[found]}.`,
      subject: subjectOfEntry(one),
      evidence: [
        lineEvidence(table, entry.line),
        { kind: 'file', path: target, line: null, text: wordsOf[found] },
      ],
      meaning:
        effect === 'stops'
          ? 'A file system can be mounted only on a directory: the mount fails and the boot ends in emergency mode.'
          : 'The mount fails, and the system boots without it.',
      repair: found === 'other' || effect === 'tolerated' ? null : 'fstab.make-mount-point',
    },
  ];
};

/** Mount points that are no directories. */
export const mountPoint: Check = {
  area: 'fstab',
  finds: ['fstab.mount-point'],
  run: async (subject) => {
    const table = await readTable(subject);
    const wanted = table.entries.filter(isMounted);
    return (await Promise.all(wanted.map((one) => look(subject, table, one)))).flat();
  },
};
