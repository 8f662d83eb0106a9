import type { Finding } from '../../diagnosis/finding.ts';
import { crypttabPath } from '../../diagnosis/fstab/crypttab.ts';
import { readTableForEdit, type Table } from '../../diagnosis/fstab/table.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import type { CrypttabEntry } from '../../system-image/system-facts.ts';

/** crypttab as it is to be edited, the lines of it that are meant, and fstab, which names volumes. */
export type Crypttab = {
  readonly path: string;
  readonly text: string;
  readonly entries: readonly CrypttabEntry[];
  readonly table: Table;
};

/** @returns null when the file, or all that the findings mean of it, is not there. */
export const readCrypttab = async (
  subject: Subject,
  findings: readonly Finding[],
): Promise<Crypttab | null> => {
  const names = new Set(findings.map(({ subject: name }) => name));
  const [place, text, table] = await Promise.all([
    subject.files.locate(crypttabPath),
    subject.files.readForEdit(crypttabPath),
    readTableForEdit(subject),
  ]);
  const entries = subject.facts.crypttab.filter(({ name }) => names.has(name));
  return place === null || text === null || entries.length === 0
    ? null
    : { path: place.path, text, entries, table };
};
