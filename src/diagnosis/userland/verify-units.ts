import { type BootTransaction, readBootTransaction } from '../../system-image/boot-transaction.ts';
import { type LoadedUnit, loadUnit } from '../../system-image/loaded-unit.ts';
import { administratorUnits } from '../../system-image/systemd-units.ts';
import type { Check } from '../check.ts';
import { commandEvidence, fileEvidence } from '../file-evidence.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { isOwn, loadFault } from './unit-faults.ts';
import { effectOf, severityOf } from './units.ts';

/**
 * With all that the target pulls in: `--recursive-errors=no` leaves out just the units that systemd
 * refuses, and systemd before 250 does not know it.
 */
const words = ['systemd-analyze', 'verify', '--man=no', 'default.target'];

/** `PATH:LINE: what is wrong`, for a file that somebody wrote. */
const complaint = /^(\/etc\/systemd\/system\/[^:]+):(\d+): (.+)$/;

/** What it says of a unit as a whole, without a file: it does not load it. */
const refusal =
  /^(\S+\.[a-z]+): (.+(?:Refusing|refusing operation|unit will not be started)\.)\s*$/;

const ownSource = ({ path, entries, problems }: LoadedUnit): string | null => {
  const paths = [path, ...entries.map((entry) => entry.path), ...problems.map((one) => one.path)];
  return paths.findLast(isOwn) ?? null;
};

/** Only what reading did not see: that is a finding of its own already. */
const refusedFinding = async (
  { files }: Subject,
  transaction: BootTransaction,
  { name, lines }: { readonly name: string; readonly lines: readonly string[] },
): Promise<readonly Finding[]> => {
  const unit = transaction.units.get(name) ?? (await loadUnit(files, name));
  const path = unit === null ? null : ownSource(unit);
  if (unit === null || path === null || loadFault(unit) !== null) return [];
  const place = lines.map((line) => complaint.exec(line)).find((match) => match !== null);
  const [, where = path, line, text] = place ?? [];
  const reason = text ?? refusal.exec(lines.at(-1) ?? '')?.[2] ?? '';
  return [
    {
      id: 'userland.unit-broken',
      severity: severityOf(transaction, name),
      title: `systemd cannot load ${name}`,
      subject: name,
      evidence: [
        fileEvidence(where, line === undefined ? null : Number(line), reason),
        commandEvidence(words, lines.join('\n')),
      ],
      meaning: effectOf(transaction, name),
      repair: 'userland.unit-file',
    },
  ];
};

/** The refusals in its output, each with the complaint about a line that stands right before it. */
const refusalsIn = (all: readonly string[]): readonly { name: string; lines: string[] }[] =>
  all.flatMap((line, index) => {
    const name = refusal.exec(line)?.[1];
    if (name === undefined) return [];
    const before = all[index - 1] ?? '';
    const belongs = complaint.test(before) && /will not be started/.test(line);
    return [{ name, lines: belongs ? [before, line] : [line] }];
  });

const findingOf = (path: string, lines: readonly string[]): Finding => ({
  id: 'userland.unit-warning',
  severity: 'info',
  title: `systemd does not understand all of ${path}`,
  subject: path,
  evidence: [commandEvidence(words, lines.join('\n'))],
  meaning: 'It passes over these lines: what they were to do does not happen.',
  repair: null,
});

/** Links alone cannot be misunderstood; a container is not started for them. */
const hasOwnFiles = async ({ files }: Subject): Promise<boolean> => {
  const names = (await files.list(administratorUnits)) ?? [];
  const entries = await Promise.all(
    names.map((name) => files.entry(`${administratorUnits}/${name}`)),
  );
  return entries.some(
    (entry) =>
      entry?.status.kind === 'file' ||
      (entry?.status.kind === 'directory' && entry.path.endsWith('.d')),
  );
};

const run = async (subject: Subject): Promise<readonly Finding[]> => {
  if (subject.facts.init !== 'systemd' || !(await hasOwnFiles(subject))) return [];
  const result = await subject.runInside({ words });
  const lines = (result?.stderr ?? '').split('\n').slice(0, 500);
  const byPath = new Map<string, string[]>();
  for (const line of lines) {
    const path = complaint.exec(line)?.[1];
    if (path !== undefined) byPath.set(path, [...(byPath.get(path) ?? []), line]);
  }
  const refusals = [...new Map(refusalsIn(lines).map((one) => [one.name, one])).values()];
  const transaction =
    refusals.length === 0 ? null : await readBootTransaction(subject.files, 'default.target');
  const broken = await Promise.all(
    transaction === null ? [] : refusals.map((one) => refusedFinding(subject, transaction, one)),
  );
  return [...broken.flat(), ...[...byPath].map(([path, own]) => findingOf(path, own))];
};

/** The system's own systemd, asked about the files in /etc: it knows each setting of its version. */
export const verifyUnitsCheck: Check = {
  area: 'userland',
  finds: ['userland.unit-broken', 'userland.unit-warning'],
  run,
};
