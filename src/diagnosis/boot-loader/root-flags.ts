import type { Host } from '../../host/host.ts';
import type { Subject } from '../subject.ts';

/**
 * The subvolumes of a btrfs, as `btrfs subvolume list` prints them: their numbers, and paths from its
 * top, but from the subvolume that was asked for those inside it.
 */
export const parseSubvolumes = (
  output: string,
): readonly { readonly id: number; readonly path: string }[] =>
  [...output.matchAll(/^ID (\d+) .*? path (.+)$/gm)].map(([, id, path = '']) => ({
    id: Number(id),
    path: path.replace(/^<FS_TREE>\//, ''),
  }));

const list = async (host: Host, root: string): Promise<ReturnType<typeof parseSubvolumes>> => {
  try {
    const { exitCode, stdout } = await host.run({
      program: 'btrfs',
      args: ['subvolume', 'list', root],
      accept: [0, 1],
      timeoutSeconds: 20,
      changes: false,
    });
    return exitCode === 0 ? parseSubvolumes(stdout) : [];
  } catch {
    // Without the program nothing can be said.
    return [];
  }
};

/** The number of the top of each btrfs (BTRFS_FS_TREE_OBJECTID). */
const topId = 5;

/**
 * The option of `rootflags=` that names a subvolume which the root's file system does not have; null
 * when it has it, when none is named, or when that cannot be told.
 */
export const lostSubvolume = async (subject: Subject, options: string): Promise<string | null> => {
  const { devices, host, root } = subject;
  if (devices?.root.fsType !== 'btrfs') return null;
  const flags = options.split(/\s+/).findLast((word) => word.startsWith('rootflags='));
  const [option, kind, value = ''] = /(?<==|,)(subvol(?:id)?)=([^,]+)/.exec(flags ?? '') ?? [];
  if (option === undefined) return null;
  const path = value.replace(/^\/+|\/+$/g, '');
  if (kind === 'subvol' && (path === '' || path === devices.subvolume)) return null;
  const there = await list(host, root);
  const isThere =
    kind === 'subvol'
      ? there.some((one) => one.path === path || `${devices.subvolume}/${one.path}` === path)
      : Number(value) === topId ||
        Number(value) === 0 ||
        there.some(({ id }) => id === Number(value));
  return there.length === 0 || isThere ? null : option;
};
