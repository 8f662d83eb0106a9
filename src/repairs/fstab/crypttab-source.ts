import { specFor } from '../../diagnosis/fstab/replacement.ts';
import { rootLineOf } from '../../diagnosis/fstab/root-container.ts';
import { lineText, setField } from '../../system-image/edit-fields.ts';
import { editLines } from '../edit-lines.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';
import { readCrypttab } from './read-crypttab.ts';

const hint =
  'Write the UUID of the container (blkid -t TYPE=crypto_LUKS) into /etc/crypttab by hand in `rescuekit rescue TARGET`, then make the initramfs anew there.';

/** Lets the root's line of crypttab name the container that the root was found in. */
export const crypttabSource: Repair = {
  id: 'fstab.crypttab-source',
  stage: 'fstab',
  title: 'Name the encrypted device of the root in crypttab',
  why: 'The line names a device that does not exist, and the root was found in exactly one opened container that no other line names.',
  risk: 'None: only the device of the line is set. The initramfs has a copy of the line; where that is wrong too, it is a finding of its own, and the initramfs is made anew.',
  proof: 'vm',
  plan: async (subject, findings) => {
    const crypttab = await readCrypttab(subject, findings);
    if (crypttab === null) return planned([]);
    const { path, text, entries, table } = crypttab;
    const lines = new Map<number, () => string>();
    for (const entry of entries) {
      const root = await rootLineOf(subject, table, entry);
      if (root.kind !== 'wrong') continue;
      const spec = root.container === null ? null : specFor(root.container, entry.source, subject);
      if (spec === null) {
        return refused('no opened container is the only one that the line can mean', hint);
      }
      lines.set(entry.line, () => setField(lineText(text, entry.line), 1, spec));
    }
    if (lines.size === 0) return planned([]);
    return planned([{ kind: 'write-file', path, content: editLines(text, lines) }]);
  },
};
