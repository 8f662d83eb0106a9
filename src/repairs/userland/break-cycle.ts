import type { Finding } from '../../diagnosis/finding.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import { isOwn } from '../../diagnosis/userland/unit-faults.ts';
import { parseUnitFile, type UnitEntryLine } from '../../system-image/unit-file.ts';
import { asComment, editLines } from '../edit-lines.ts';
import { planned, refused, together } from '../plan.ts';
import type { Repair, RepairPlan } from '../repair.ts';

type Step = { readonly path: string; readonly from: string; readonly to: string };

/** Evidence of a cycle is its steps: `A after B`, each with the file that says so. */
const stepsOf = ({ evidence }: Finding): readonly Step[] =>
  evidence.flatMap((one) => {
    if (one.kind !== 'file') return [];
    const [from, to] = one.text.split(' after ');
    return from === undefined || to === undefined ? [] : [{ path: one.path, from, to }];
  });

/** The assignment that orders them: `After=` of the later one, or `Before=` of the earlier one. */
const assignmentOf = (
  entries: readonly UnitEntryLine[],
  { from, to }: Step,
): { readonly entry: UnitEntryLine; readonly name: string } | null => {
  for (const entry of entries) {
    const words = entry.value.split(/\s+/);
    if (entry.section !== 'Unit') continue;
    if (entry.key === 'After' && words.includes(to)) return { entry, name: to };
    if (entry.key === 'Before' && words.includes(from)) return { entry, name: from };
  }
  return null;
};

const withoutName = (line: string, name: string): string => {
  const [key = '', value = ''] = [
    line.slice(0, line.indexOf('=')),
    line.slice(line.indexOf('=') + 1),
  ];
  const rest = value.split(/\s+/).filter((word) => word !== '' && word !== name);
  return rest.length === 0 ? asComment(line) : `${key}=${rest.join(' ')}`;
};

const planFor = async ({ files }: Subject, finding: Finding): Promise<RepairPlan> => {
  for (const step of stepsOf(finding).filter(({ path }) => isOwn(path))) {
    const text = await files.readForEdit(step.path);
    const found = text === null ? null : assignmentOf(parseUnitFile(text).entries, step);
    // An assignment over several lines is left to the person.
    if (text === null || found === null) continue;
    const line = text.split('\n')[found.entry.line - 1] ?? '';
    if (line.trimEnd().endsWith('\\')) continue;
    const edit = (old: string): string => withoutName(old, found.name);
    const content = editLines(text, new Map([[found.entry.line, edit]]));
    return planned([{ kind: 'write-file', path: step.path, content }]);
  }
  return refused(
    'No single line in /etc makes the cycle.',
    'Look at the units named and take one of their After= or Before= away.',
  );
};

export const breakCycleRepair: Repair = {
  id: 'userland.break-cycle',
  stage: 'userland',
  title: 'Take the order that closes the cycle out of the unit in /etc',
  why: 'Units that wait for each other cannot be started; systemd leaves one out, or freezes when it must not.',
  risk: 'The unit starts later than it was meant to, or earlier.',
  proof: 'container',
  plan: async (subject, findings) =>
    together(await Promise.all(findings.map((finding) => planFor(subject, finding)))),
};
