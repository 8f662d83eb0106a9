import type { Finding } from '../../diagnosis/finding.ts';
import {
  readTableForEdit,
  type Table,
  type TableEntry,
  tablePath,
} from '../../diagnosis/fstab/table.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import { editLines, placesOf } from '../edit-lines.ts';
import { planned, refused } from '../plan.ts';
import type { RepairPlan } from '../repair.ts';

/** What becomes of one entry: its new line, or why nothing is done. */
export type EntryEdit =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'refused'; readonly reason: string };

const linesOf = (findings: readonly Finding[]): readonly number[] => [
  ...new Set(placesOf(findings).get(tablePath)),
];

/** The table with some lines set; every other byte stays. Null for a line that is to stay, too. */
export const editTable = (table: Table, lines: ReadonlyMap<number, string>): RepairPlan => {
  const content = editLines(
    table.text,
    new Map([...lines].map(([line, text]) => [line, () => text])),
  );
  if (table.path === null || content === table.text) return planned([]);
  return planned([{ kind: 'write-file', path: table.path, content }]);
};

const hint = 'Edit /etc/fstab by hand: `rescuekit rescue TARGET` gives a shell in the system.';

/** Edits the entries that findings are about, each on its own line. */
export const editEntries = async (
  subject: Subject,
  findings: readonly Finding[],
  edit: (one: TableEntry, table: Table) => Promise<EntryEdit>,
): Promise<RepairPlan> => {
  const table = await readTableForEdit(subject);
  const wanted = linesOf(findings);
  const entries = table.entries.filter(({ entry }) => wanted.includes(entry.line));
  if (entries.length === 0) return refused('the line is no longer there', hint);
  const edits = await Promise.all(
    entries.map(async (one) => ({ one, result: await edit(one, table) })),
  );
  const lines = new Map<number, string>();
  for (const { one, result } of edits) {
    if (result.kind === 'refused') return refused(result.reason, hint);
    lines.set(one.entry.line, result.text);
  }
  return editTable(table, lines);
};
