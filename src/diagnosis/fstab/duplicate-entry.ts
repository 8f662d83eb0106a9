import { plainText } from '../../host/plain-text.ts';
import { sameDevice } from '../../system-image/target-devices.ts';
import type { Check } from '../check.ts';
import type { Finding } from '../finding.ts';
import { lineEvidence, readTable, type Table, type TableEntry } from './table.ts';

const isMounted = ({ entry, target }: TableEntry): boolean =>
  target.startsWith('/') && entry.fsType !== 'swap' && !entry.options.includes('noauto');

const sameThing = (one: TableEntry, other: TableEntry): boolean =>
  one.entry.spec === other.entry.spec ||
  (one.resolution?.kind === 'found' &&
    other.resolution?.kind === 'found' &&
    sameDevice(one.resolution.device, other.resolution.device));

/** Both are there: then one of two file systems stays unused, and it is not clear which was meant. */
const compete = (first: TableEntry, second: TableEntry): boolean =>
  first.target !== '/' &&
  first.resolution?.kind === 'found' &&
  second.resolution?.kind === 'found' &&
  !sameThing(first, second);

const findingOf = (table: Table, first: TableEntry, second: TableEntry): Finding => ({
  id: 'fstab.duplicate-entry',
  severity: compete(first, second) ? 'warning' : 'info',
  title: `/etc/fstab has two lines for ${plainText(first.target)}.`,
  subject: plainText(first.target),
  evidence: [lineEvidence(table, first.entry.line), lineEvidence(table, second.entry.line)],
  meaning:
    'systemd takes the first line and leaves the second out with an error in its log; mount -a mounts both, the second over the first.',
  repair: null,
});

/** Two lines for one mount point. Which one was meant only the person knows. */
export const duplicateEntry: Check = {
  area: 'fstab',
  finds: ['fstab.duplicate-entry'],
  run: async (subject) => {
    const table = await readTable(subject);
    const mounted = table.entries.filter(isMounted);
    return mounted.flatMap((one, index) => {
      const first = mounted.findIndex(({ target }) => target === one.target);
      const before = mounted[first];
      const second = mounted.slice(first + 1).find(({ target }) => target === one.target);
      return first === index || before === undefined || second !== one
        ? []
        : [findingOf(table, before, one)];
    });
  },
};
