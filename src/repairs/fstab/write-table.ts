import { readTableForEdit, tablePath } from '../../diagnosis/fstab/table.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';
import { rootLine, tableLines } from './table-lines.ts';

const hint = 'Write /etc/fstab by hand: `rescuekit inspect TARGET` shows what is on the disk.';
const attributes = { mode: 0o644, uid: 0, gid: 0 };

/** Writes a table where there is none, from what the root's disk holds. */
export const writeTable: Repair = {
  id: 'fstab.write-table',
  stage: 'fstab',
  title: 'Write a new fstab from what is on the disk',
  why: 'Without a line for / the root stays read-only. The new table has the root where the system was found, and a /boot, an EFI system partition and swap where there is exactly one of each.',
  risk: 'Options of the lost table, and file systems on other disks, are not known and not in it.',
  proof: 'vm',
  plan: async (subject) => {
    const { devices } = subject;
    if (devices === null) return refused('the devices of the system are not known', hint);
    const table = await readTableForEdit(subject);
    if (table.entries.length > 0) return planned([]);
    const found = await tableLines(subject, devices);
    if (found.kind === 'unsure') return refused(found.reason, hint);
    const kept = table.text.trim() === '' ? '' : table.text;
    const end = kept === '' || kept.endsWith('\n') ? '' : '\n';
    const content = `${kept}${end}${found.lines.join('\n')}\n`;
    if (table.path !== null) return planned([{ kind: 'write-file', path: table.path, content }]);
    // A dangling link is the thing itself: it goes, and a file comes in its place.
    const link = await subject.files.link(tablePath);
    return planned([
      ...(link === null ? [] : [{ kind: 'remove', path: tablePath } as const]),
      { kind: 'write-file', path: tablePath, content, attributes },
    ]);
  },
};

/** Adds the line for the root to a table that has none, before all others. */
export const addRoot: Repair = {
  id: 'fstab.add-root',
  stage: 'fstab',
  title: 'Add the line for the root file system to fstab',
  why: 'Only that line makes the root writable. It names the file system on which the system was found.',
  risk: 'Options that a lost line had are not known.',
  proof: 'vm',
  plan: async (subject) => {
    const table = await readTableForEdit(subject);
    const line = subject.devices === null ? null : rootLine(subject, subject.devices);
    if (line === null || table.path === null) return refused('the root has no UUID', hint);
    if (table.entries.some(({ isRoot }) => isRoot)) return planned([]);
    const [first] = table.entries;
    const lines = table.text.split('\n');
    const content = lines.toSpliced((first?.entry.line ?? 1) - 1, 0, line).join('\n');
    return planned([{ kind: 'write-file', path: table.path, content }]);
  },
};
