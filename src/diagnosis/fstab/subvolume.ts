import { plainText } from '../../host/plain-text.ts';
import { normalTarget, optionValue } from '../../system-image/fstab.ts';
import type { Check } from '../check.ts';
import type { Evidence, Finding } from '../finding.ts';
import type { Subject, SubjectMount } from '../subject.ts';
import { bootEffect, severityOfEffect } from './boot-effect.ts';
import { lineEvidence, readTable, subjectOfEntry, type Table, type TableEntry } from './table.ts';

/** What became of a line here. */
const mountOf = (subject: Subject, { entry, target }: TableEntry): SubjectMount | null =>
  subject.mounts.find(
    (mount) => normalTarget(mount.target) === target && mount.spec === plainText(entry.spec),
  ) ?? null;

/**
 * Its mount was tried with nothing but the choice of the subvolume, and failed, while another
 * subvolume of the same file system is up: then only the subvolume can be missing.
 */
const failedAlone = (subject: Subject, mount: SubjectMount): boolean =>
  mount.state === 'skipped' &&
  mount.device !== null &&
  /^mount failed with exit code 32\b/.test(mount.note ?? '') &&
  subject.mounts.some(
    ({ state, device, target }) =>
      state === 'mount' && device === mount.device && target !== mount.target,
  );

/** Id of the subvolume that is mounted there; null where it cannot be told. */
const mountedId = async ({ host, files }: Subject, target: string): Promise<number | null> => {
  const place = await files.locate(target);
  if (place === null) return null;
  try {
    const { stdout, exitCode } = await host.run({
      program: 'btrfs',
      args: ['inspect-internal', 'rootid', place.hostPath],
      accept: [0, 1],
      changes: false,
    });
    return exitCode === 0 && /^\d+\s*$/.test(stdout) ? Number(stdout) : null;
  } catch {
    return null;
  }
};

type Fault = Pick<Finding, 'title' | 'repair'> & { readonly evidence: Evidence };

const missing = (one: TableEntry, mount: SubjectMount): Fault => {
  const { options } = one.entry;
  const name = optionValue(options, 'subvol') ?? `with id ${optionValue(options, 'subvolid')}`;
  return {
    title: `The btrfs subvolume ${plainText(name)} for ${plainText(one.target)} does not exist.`,
    evidence: { kind: 'command', command: 'mount -t btrfs', output: mount.note ?? '' },
    repair: 'fstab.nofail',
  };
};

/** The kernel mounts none when both are given and mean two (fs/btrfs/super.c: mount_subvol). */
const mismatch = async (subject: Subject, one: TableEntry): Promise<Fault | null> => {
  const { options } = one.entry;
  const name = optionValue(options, 'subvol');
  const id = Number(optionValue(options, 'subvolid') ?? Number.NaN);
  if (name === null || !Number.isInteger(id) || id === 0) return null;
  const actual = await mountedId(subject, one.target);
  if (actual === null || actual === id) return null;
  return {
    title: `The line for ${plainText(one.target)} names the subvolume ${plainText(name)} with id ${id}, and that one has id ${actual}.`,
    evidence: {
      kind: 'command',
      command: `btrfs inspect-internal rootid ${plainText(one.target)}`,
      output: String(actual),
    },
    repair: 'fstab.set-subvolume',
  };
};

const faultOf = async (subject: Subject, one: TableEntry): Promise<Fault | null> => {
  const { entry } = one;
  const mount = mountOf(subject, one);
  const chosen = ['subvol', 'subvolid'].some((name) => optionValue(entry.options, name) !== null);
  if (mount === null || !chosen || mount.fsType !== 'btrfs') return null;
  if (failedAlone(subject, mount)) return missing(one, mount);
  return mount.state === 'mount' ? mismatch(subject, one) : null;
};

const look = async (
  subject: Subject,
  table: Table,
  one: TableEntry,
): Promise<readonly Finding[]> => {
  const effect = bootEffect(subject.facts.init, one.entry, true);
  const fault = effect === 'never' ? null : await faultOf(subject, one);
  if (fault === null) return [];
  return [
    {
      id: 'fstab.subvolume',
      severity: severityOfEffect(effect),
      title: fault.title,
      subject: subjectOfEntry(one),
      evidence: [lineEvidence(table, one.entry.line), fault.evidence],
      meaning:
        effect === 'stops'
          ? 'The kernel refuses the mount, and the boot ends in emergency mode.'
          : 'The kernel refuses the mount, and the system boots without it.',
      repair: effect === 'tolerated' ? null : fault.repair,
    },
  ];
};

/** Lines for a btrfs subvolume that was removed, renamed, or made anew under its name. */
export const subvolume: Check = {
  area: 'fstab',
  finds: ['fstab.subvolume'],
  run: async (subject) => {
    const table = await readTable(subject);
    const others = table.entries.filter(({ target }) => target !== '/');
    return (await Promise.all(others.map((one) => look(subject, table, one)))).flat();
  },
};
