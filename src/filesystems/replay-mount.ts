import type { Host } from '../host/host.ts';
import { RescueError } from '../host/rescue-error.ts';
import { waitUntil } from '../host/wait.ts';
import { runTool } from './checker.ts';
import type { CheckContext } from './file-system.ts';
import { scratchPath } from './scratch.ts';

/** A helper of the host that only looks (udev, a file indexer) lets go within this time. */
const patienceMilliseconds = 5000;

type Replay = {
  /** Device, or the image file of a copy (which is mounted through a loop device). */
  readonly path: string;
  readonly fsType: 'xfs' | 'btrfs';
  readonly options: readonly string[];
  /** Whether `path` is the attached disk. */
  readonly changes: boolean;
};

const safely = ['rw', 'nodev', 'nosuid', 'noexec'] as const;

/** The words of a mount that replays a log. */
export const replayArgs = (
  { path, fsType, options }: Omit<Replay, 'changes'>,
  mountPoint: string,
): readonly string[] => [
  '--types',
  fsType,
  '--options',
  [...safely, ...options].join(','),
  path,
  mountPoint,
];

/** The host with commands that end although the work they belong to was cancelled. */
const undisturbed = (host: Host): Host => ({
  ...host,
  run: (command) => host.run({ signal: new AbortController().signal, ...command }),
});

const takeDown = async (host: Host, mountPoint: string, changes: boolean): Promise<void> => {
  let words = '';
  const attempt = async (): Promise<boolean> => {
    // umount(8): 32 is "umount failed", busy for instance.
    const result = await host.run({
      program: 'umount',
      args: [mountPoint],
      accept: [0, 32],
      timeoutSeconds: 0,
      changes,
    });
    words = result.stderr;
    return result.exitCode === 0;
  };
  if (await waitUntil(attempt, patienceMilliseconds)) return;
  throw new RescueError({
    code: 'LEFT_MOUNTED',
    message: `${mountPoint} could not be unmounted: ${words.trim()}`,
    hint: 'End the processes that use it, then run: rescuekit cleanup',
    exit: 5,
  });
};

/**
 * Mounts and unmounts, which is how the kernel replays the log of XFS and btrfs. The mount point is
 * below the scratch directory; a loop device made by mount(8) goes away with its mount, so that
 * even a killed rescuekit leaves nothing but a mount behind.
 *
 * @returns null when it was replayed, otherwise what mount said.
 */
export const replayByMounting = async (
  context: CheckContext,
  replay: Replay,
): Promise<string | null> => {
  const mountPoint = scratchPath(context, 'replay');
  const { files } = context.host;
  await files.ensureDirectory(mountPoint, 0o700);
  const host = undisturbed(context.host);
  try {
    context.onProgress({ message: 'replaying the log', fraction: null });
    // The mount itself is not cut off in the middle: a SIGTERM between mounting and exiting would
    // leave it up and unknown.
    const result = await runTool(
      { host },
      {
        program: 'mount',
        args: replayArgs(replay, mountPoint),
        accept: [0, 32],
        changes: replay.changes,
      },
    );
    if (result.exitCode !== 0) return result.stderr.trim();
    await takeDown(host, mountPoint, replay.changes);
    return null;
  } finally {
    await files.removeDirectory(mountPoint);
  }
};

/** True when the host's kernel does not know the file system: no verdict on the disk. */
export const kernelCannot = (mountWords: string): boolean =>
  /unknown filesystem type|No such device/.test(mountWords);
