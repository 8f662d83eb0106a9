import type { Change } from '../../changes/change.ts';
import { linesUsing } from '../../diagnosis/fstab/crypttab.ts';
import { parseCrypttab } from '../../system-image/crypttab.ts';
import { lineText, setField } from '../../system-image/edit-fields.ts';
import type { CrypttabEntry } from '../../system-image/system-facts.ts';
import { editLines } from '../edit-lines.ts';
import { planned } from '../plan.ts';
import type { Repair } from '../repair.ts';
import { nofailOptions } from './add-nofail.ts';
import { readCrypttab } from './read-crypttab.ts';

/** Lets the boot go on without an encrypted volume that cannot be opened. */
export const crypttabNofail: Repair = {
  id: 'fstab.crypttab-nofail',
  stage: 'fstab',
  title: 'Let the system boot without the encrypted volume',
  why: 'The lines in crypttab and fstab are kept and get the option nofail: the boot goes on without the volume and opens it as before once its device and key are back.',
  risk: 'Services that keep data there start without it and may write to the empty mount point.',
  proof: 'vm',
  plan: async (subject, findings) => {
    const crypttab = await readCrypttab(subject, findings);
    if (crypttab === null) return planned([]);
    const { path, text, table } = crypttab;
    const entries = crypttab.entries.map((entry) => withBytes(text, entry));
    const nofail = entries.map(({ line, options }): readonly [number, () => string] => [
      line,
      () => setField(lineText(text, line), 3, withNofail(options), ['', '', 'none']),
    ]);
    const users = entries
      .flatMap((entry) => linesUsing(table, entry))
      .filter(({ target }) => target !== '/');
    const mounts = users.map(({ entry }): readonly [number, () => string] => [
      entry.line,
      () =>
        setField(lineText(table.text, entry.line), 3, nofailOptions(entry, subject.facts.init), [
          '',
          '',
          entry.fsType,
        ]),
    ]);
    const contents: readonly Change[] = [
      { kind: 'write-file', path, content: editLines(text, new Map(nofail)) },
      ...(table.path === null || mounts.length === 0
        ? []
        : [
            {
              kind: 'write-file',
              path: table.path,
              content: editLines(table.text, new Map(mounts)),
            } as const,
          ]),
    ];
    return planned(contents);
  },
};

/** An entry that was read to look at has lost the bytes that are no UTF-8; the text has them. */
const withBytes = (text: string, entry: CrypttabEntry): CrypttabEntry =>
  [entry.name, ...entry.options].join().includes('\ufffd')
    ? (parseCrypttab(text).find(({ line }) => line === entry.line) ?? entry)
    : entry;

const withNofail = (options: readonly string[]): string =>
  [...(options.length === 0 ? ['luks'] : options), 'nofail'].join(',');
