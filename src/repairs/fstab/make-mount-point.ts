import type { Change } from '../../changes/change.ts';
import { readTable } from '../../diagnosis/fstab/table.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';

const attributes = { mode: 0o755, uid: 0, gid: 0 };

/** Puts a directory where fstab mounts something. */
export const makeMountPoint: Repair = {
  id: 'fstab.make-mount-point',
  stage: 'fstab',
  title: 'Make the directory on which fstab mounts',
  why: 'A file system can be mounted only on a directory. An empty file in its place is taken away.',
  risk: 'None: a file with anything in it is left alone.',
  proof: 'vm',
  plan: async (subject, findings) => {
    const table = await readTable(subject);
    const lines = findings.flatMap(({ evidence }) =>
      evidence.flatMap((one) => (one.kind === 'file' ? (one.line ?? []) : [])),
    );
    const targets = table.entries
      .filter(({ entry }) => lines.includes(entry.line))
      .map(({ target }) => target);
    const changes: Change[] = [];
    for (const path of targets) {
      // A name on the disk is bytes, and these cannot be told from the text any more.
      if (path.includes('\ufffd')) {
        return refused(`the name ${path} is not in UTF-8`, 'Make the directory by hand.');
      }
      const there = await subject.files.entry(path);
      if (there?.status.kind === 'directory') continue;
      if (there !== null && (there.status.kind !== 'file' || there.status.sizeBytes > 0)) {
        return refused(`${path} is there and holds something`, 'Move it away by hand.');
      }
      changes.push({ kind: 'make-directory', path, attributes });
    }
    return planned(changes);
  },
};
