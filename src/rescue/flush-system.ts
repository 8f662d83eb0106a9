import type { Host } from '../host/host.ts';
import type { MountedSystem } from './mount-system.ts';

/**
 * Waits until what was written to a mounted system is on its disks: only then may it stand in the
 * session's record as done.
 */
export const flushSystem = async (
  host: Host,
  {
    root,
    mounted,
  }: {
    readonly root: string;
    readonly mounted: readonly Pick<MountedSystem['mounted'][number], 'target'>[];
  },
): Promise<void> => {
  const places: string[] = [root];
  for (const { target } of mounted) {
    const place = `${root}${target}`;
    // A mount point that was new goes with what was taken back.
    if ((await host.files.status(place))?.kind === 'directory') places.push(place);
  }
  await host.run({
    program: 'sync',
    args: ['--file-system', ...places],
    timeoutSeconds: 0,
    changes: false,
  });
};
