import type { Change } from '../../changes/change.ts';
import { knownModes } from '../../diagnosis/userland/known-modes.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';

const modes: ReadonlyMap<string, number> = new Map([
  ...knownModes.map(({ path, mode }) => [path, mode] as const),
  // Mount points: what is mounted on them brings its own modes. base-files has them like this.
  ['/proc', 0o755],
  ['/sys', 0o755],
]);

/** What holds the system itself: an empty one in its place would help nobody. */
const withContents = ['/etc', '/usr', '/bin', '/sbin', '/lib', '/var/lib'];

const makeDirectory = (path: string): Change => ({
  kind: 'make-directory',
  path,
  attributes: { mode: modes.get(path) ?? 0o755, uid: 0, gid: 0 },
});

export const makeDirectoriesRepair: Repair = {
  id: 'userland.make-directories',
  stage: 'packages',
  title: 'Make the missing directories again',
  why: 'The system mounts its own file systems there, or keeps its files there, and makes none of them by itself.',
  risk: 'None: an empty directory is made.',
  proof: 'container',
  plan: async ({ files }, findings) => {
    const paths = findings.map(({ subject }) => subject).toSorted();
    const lost = paths.filter((path) => withContents.includes(path));
    if (lost.length > 0) {
      return refused(
        `${lost.join(', ')} held the system's own files, and an empty directory does not bring them back.`,
        'Restore it from a backup or snapshot.',
      );
    }
    const entries = await Promise.all(paths.map((path) => files.entry(path)));
    const taken = paths.filter((_, index) => {
      const kind = entries[index]?.status.kind;
      return kind !== undefined && kind !== 'symlink' && kind !== 'directory';
    });
    if (taken.length > 0) {
      return refused(
        `Something that is no directory stands at ${taken.join(', ')}.`,
        'Move it away, then repair again.',
      );
    }
    return planned(
      paths.flatMap((path, index) => [
        ...(entries[index]?.status.kind !== 'symlink' ? [] : [{ kind: 'remove', path } as const]),
        makeDirectory(path),
      ]),
    );
  },
};
