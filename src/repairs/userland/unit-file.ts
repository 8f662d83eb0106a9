import type { Change } from '../../changes/change.ts';
import type { Finding } from '../../diagnosis/finding.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import { isOwn } from '../../diagnosis/userland/unit-faults.ts';
import { findUnit, unitDirectories } from '../../system-image/systemd-units.ts';
import { parseUnitFile } from '../../system-image/unit-file.ts';
import { asComment, editLines } from '../edit-lines.ts';
import { planned, refused, together } from '../plan.ts';
import type { Repair, RepairPlan } from '../repair.ts';
import { unlinkUnit } from './unit-links.ts';

type Place = { readonly path: string; readonly line: number | null };

const placeOf = ({ evidence }: Finding): Place | null => {
  const [first] = evidence;
  return first?.kind === 'file' ? first : null;
};

/** The command of the package comes back when the drop-in no longer sets another one. */
const withoutCommand = async ({ files }: Subject, { path, line }: Place): Promise<RepairPlan> => {
  const text = await files.readForEdit(path);
  const { entries } = parseUnitFile(text ?? '');
  const at = entries.find((entry) => entry.line === line);
  const commands = entries.filter(
    ({ key, section }) => section === 'Service' && key === 'ExecStart',
  );
  // A command goes with the others of the file, another setting alone.
  const lines = at === undefined || at.key === 'ExecStart' ? commands : [at];
  if (text === null || lines.length === 0) {
    return refused(`No line of ${path} is known to be the cause.`, 'Look at the file by hand.');
  }
  const content = editLines(text, new Map(lines.map(({ line }) => [line, asComment])));
  return planned([{ kind: 'write-file', path, content }]);
};

/** A copy in /etc stands above the package's unit: without it, that one counts. */
const withoutCopy = async (subject: Subject, name: string, path: string): Promise<RepairPlan> => {
  const below = await findUnit(subject.files, name, unitDirectories.slice(1));
  if (below !== null && (below.state === 'file' || below.state === 'link')) {
    const change: Change = { kind: 'remove', path };
    return planned([change]);
  }
  return unlinkUnit(subject, name);
};

const planFor = async (subject: Subject, finding: Finding): Promise<RepairPlan> => {
  const place = placeOf(finding);
  if (place === null || !isOwn(place.path)) {
    return refused('The file at fault is not one of /etc.', 'Restore it from its package.');
  }
  return /\.d\/[^/]+\.conf$/.test(place.path)
    ? withoutCommand(subject, place)
    : withoutCopy(subject, finding.subject, place.path);
};

export const unitFileRepair: Repair = {
  id: 'userland.unit-file',
  stage: 'userland',
  title: 'Let the unit be as its package has it',
  why: 'What was written into /etc for it keeps systemd from loading or starting it, and the boot needs it.',
  risk: 'What the change in /etc was for is not in effect any more; it can be taken back.',
  proof: 'container',
  plan: async (subject, findings) => {
    // Of one file the first finding says enough: a command that is gone may also be one too many.
    const byFile = new Map<string, Finding>();
    for (const finding of findings) {
      const file = placeOf(finding)?.path ?? finding.subject;
      if (!byFile.has(file)) byFile.set(file, finding);
    }
    const plans = [...byFile.values()].map((finding) => planFor(subject, finding));
    return together(await Promise.all(plans));
  },
};
