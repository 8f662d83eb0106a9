import { plainText } from '../../host/plain-text.ts';
import { isBindMount } from '../../system-image/fstab-spec.ts';
import type { Check } from '../check.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { bootEffect } from './boot-effect.ts';
import { judgeOption, knowsOptionsOf, type OptionJudgement } from './judge-option.ts';
import { rootNeedsTable } from './root-needs-table.ts';
import { lineEvidence, readTable, subjectOfEntry, type Table, type TableEntry } from './table.ts';

type Bad = { readonly option: string; readonly judgement: OptionJudgement };

/** The type by which the kernel will judge: what is on the device, where that can be told. */
export const judgedType = ({ entry, resolution }: TableEntry): string | null => {
  const actual = resolution?.kind === 'found' ? resolution.device.fsType : null;
  const fsType = actual ?? entry.fsType;
  return knowsOptionsOf(fsType) ? fsType : null;
};

/** Options of a line that the kernel will refuse. */
export const badOptions = (one: TableEntry): readonly Bad[] => {
  const fsType = judgedType(one);
  if (fsType === null || isBindMount(one.entry)) return [];
  return one.entry.options
    .map((option) => ({ option, judgement: judgeOption(fsType, option, one.kernel) }))
    .filter(({ judgement }) => judgement.kind !== 'known');
};

const reasonOf = ({ option, judgement }: Bad, fsType: string): string => {
  const name = plainText(option).slice(0, 60);
  switch (judgement.kind) {
    case 'foreign':
      return `${name} is an option of ${judgement.of.join(' and ')}, not of ${fsType}`;
    case 'removed':
      return `${name} is refused by kernels from ${judgement.since} on`;
    case 'misspelt':
      return `${name} is no option of ${fsType}; ${judgement.meant} may be meant`;
    default:
      return `${name} is no option that is known of ${fsType}`;
  }
};

const effectOf = async (subject: Subject, { entry, target }: TableEntry) => {
  if (target === '/') return (await rootNeedsTable(subject)) ? 'stops' : 'goes-on';
  return bootEffect(subject.facts.init, entry, true);
};

const meaningOf = (effect: string, isRoot: boolean): string => {
  if (isRoot)
    return 'The kernel refuses the remount by this line, so the root stays as it was mounted first, on most systems read-only: most services fail.';
  return effect === 'stops'
    ? 'The kernel refuses the mount, and the boot ends in emergency mode.'
    : 'The kernel refuses the mount, and the system boots without it.';
};

const look = async (
  subject: Subject,
  table: Table,
  one: TableEntry,
): Promise<readonly Finding[]> => {
  const bad = badOptions(one);
  const fsType = judgedType(one);
  const effect = await effectOf(subject, one);
  if (bad.length === 0 || fsType === null || effect === 'never') return [];
  // A newer kernel may know what is unknown here: certain is only what is misspelt, foreign or gone.
  const certain = bad.filter(({ judgement }) => judgement.kind !== 'unknown');
  const severity = certain.length > 0 && effect === 'stops' ? 'critical' : 'warning';
  return [
    {
      id: 'fstab.bad-option',
      severity: effect === 'tolerated' ? 'info' : severity,
      title: `The line for ${plainText(one.target)} has an option that its file system does not take: ${plainText(bad.map(({ option }) => option).join(', ')).slice(0, 100)}.`,
      subject: subjectOfEntry(one),
      evidence: [
        lineEvidence(table, one.entry.line),
        ...bad.map((option) => ({
          kind: 'command' as const,
          command: `mount -t ${fsType}`,
          output: reasonOf(option, fsType),
        })),
      ],
      meaning: meaningOf(effect, one.target === '/'),
      repair: certain.length === bad.length ? 'fstab.set-options' : null,
    },
  ];
};

/** Lines with a mount option that the kernel's driver refuses. */
export const mountOptions: Check = {
  area: 'fstab',
  finds: ['fstab.bad-option'],
  run: async (subject) => {
    const table = await readTable(subject);
    const first = table.entries.filter(({ target, isRoot }) => isRoot || target !== '/');
    return (await Promise.all(first.map((one) => look(subject, table, one)))).flat();
  },
};
