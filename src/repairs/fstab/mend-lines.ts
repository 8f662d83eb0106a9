import { mendLine } from '../../diagnosis/fstab/mend-line.ts';
import { readTableForEdit } from '../../diagnosis/fstab/table.ts';
import { planned } from '../plan.ts';
import type { Repair } from '../repair.ts';
import { editTable } from './edit-table.ts';

/** Brings malformed lines into the form that systemd and mount(8) read alike. */
export const mendLines: Repair = {
  id: 'fstab.mend-lines',
  stage: 'fstab',
  title: 'Mend the form of the lines in fstab',
  why: 'A byte order mark, carriage returns, a blank among the options, a letter in a number field or a missing slash make systemd and mount read a line in another way than it was meant, or not at all.',
  risk: 'None where the meaning is certain; lines of which it is not stay as they are.',
  proof: 'vm',
  plan: async (subject) => {
    const table = await readTableForEdit(subject);
    const lines = new Map<number, string>();
    for (const { line } of table.problems) {
      const mend = await mendLine(subject, table, line);
      if (mend.kind === 'mended') lines.set(line, mend.text);
    }
    const plan = editTable(table, lines);
    if (plan.kind !== 'changes' || table.path === null || !table.text.includes('\r\n')) return plan;
    // Line ends are one thing of the whole file: half of them would be worse than all.
    const [change] = plan.changes;
    const before = change?.kind === 'write-file' ? String(change.content) : table.text;
    const content = before.replaceAll('\r\n', '\n');
    return planned([{ kind: 'write-file', path: table.path, content }]);
  },
};
