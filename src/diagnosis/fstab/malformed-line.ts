import { plainText } from '../../host/plain-text.ts';
import type { Check } from '../check.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { bootEffect } from './boot-effect.ts';
import { type LineMend, mendLine } from './mend-line.ts';
import { rootNeedsTable } from './root-needs-table.ts';
import { lineEvidence, readTable, type Table, type TableEntry } from './table.ts';

type Problem = Table['problems'][number];

const entryAt = (table: Table, line: number): TableEntry | null =>
  table.entries.find(({ entry }) => entry.line === line) ?? null;

/** What libmount ignores, systemd's generator may still mount: only the root is lost by it. */
const libmountIgnores = (reason: string): boolean => /mount\(8\) ignores/.test(reason);

const stopsTheBoot = async (
  subject: Subject,
  one: TableEntry | null,
  problem: Problem,
): Promise<boolean> => {
  if (one === null) return false;
  if (libmountIgnores(problem.reason)) return one.isRoot && rootNeedsTable(subject);
  // The mark becomes a part of the device's name, and that device is never there.
  if (/byte order mark/.test(problem.reason)) {
    return !one.isRoot && bootEffect(subject.facts.init, one.entry, true) === 'stops';
  }
  return false;
};

const meaningOf = (stops: boolean, one: TableEntry | null, problem: Problem): string => {
  if (stops && one?.isRoot === true) {
    return 'The line for / is not read, so the root stays read-only as the kernel has mounted it: most services fail.';
  }
  if (stops) return 'The mount of this line fails, and the boot ends in emergency mode.';
  if (one === null || /no absolute path/.test(problem.reason)) {
    return 'The line is ignored: what it was to mount is not mounted.';
  }
  return 'systemd and mount read the line in different ways: the boot may succeed, and a mount by hand or by a script fails or lacks its options.';
};

const look = async (subject: Subject, table: Table, problem: Problem): Promise<Finding> => {
  const one = entryAt(table, problem.line);
  const stops = await stopsTheBoot(subject, one, problem);
  const mend: LineMend = await mendLine(subject, table, problem.line);
  const ofRest = /rest is ignored/.test(problem.reason);
  return {
    id: 'fstab.malformed-line',
    severity: stops ? 'critical' : ofRest ? 'info' : 'warning',
    title: `Line ${problem.line} of /etc/fstab is malformed: ${problem.reason}.`,
    subject: `${plainText(one?.target ?? problem.text)} ${problem.reason}`,
    evidence: [lineEvidence(table, problem.line)],
    meaning: meaningOf(stops, one, problem),
    repair: mend.kind === 'mended' && !ofRest ? 'fstab.mend-lines' : null,
  };
};

/** Carriage returns are on every line, and are one fault. */
const ofWindows = (table: Table, problems: readonly Problem[]): readonly Finding[] => {
  const [first] = problems;
  if (first === undefined) return [];
  return [
    {
      id: 'fstab.malformed-line',
      severity: 'warning',
      title: '/etc/fstab has line ends of Windows.',
      subject: 'carriage returns',
      evidence: problems.slice(0, 3).map(({ line }) => lineEvidence(table, line)),
      meaning:
        'The carriage return is a part of the last field: options there (nofail) are not recognised, and scripts stumble over it.',
      repair: 'fstab.mend-lines',
    },
  ];
};

/** Lines that are no entry, or that systemd and mount(8) do not read as they were meant. */
export const malformedLine: Check = {
  area: 'fstab',
  finds: ['fstab.malformed-line'],
  run: async (subject) => {
    const table = await readTable(subject);
    const windows = table.problems.filter(({ reason }) => /carriage return/.test(reason));
    const others = table.problems.filter((problem) => !windows.includes(problem));
    const findings = await Promise.all(others.map((problem) => look(subject, table, problem)));
    return [...ofWindows(table, windows), ...findings];
  },
};
