import type { Device } from '../devices/device.ts';
import { requirePrograms } from '../host/capabilities.ts';
import type { Host } from '../host/host.ts';
import { messageOf } from '../host/rescue-error.ts';
import type { Means } from '../rehearsal/record.ts';

export type ChosenMeans = {
  readonly means: Means;
  /** For a person: which, and of the lesser one why. */
  readonly words: string;
};

const snapshotWords =
  'a copy-on-write layer over each disk (dm-snapshot): also file system repairs are tried on it.';

const overlayWords = (why: string): string =>
  `a copy-on-write layer over each file system (overlay), for ${why}. File systems are checked and not repaired on it.`;

/** Why device-mapper cannot make snapshots here; null when it can. */
const withoutSnapshots = async (host: Host): Promise<string | null> => {
  try {
    await requirePrograms(host, ['dmsetup', 'losetup']);
  } catch (error) {
    return `this machine has no dmsetup (${messageOf(error)})`;
  }
  // 1: no such module; it may be a part of the kernel.
  await host
    .run({ program: 'modprobe', args: ['--quiet', 'dm_snapshot'], accept: [0, 1], changes: false })
    .catch(() => null);
  const { stdout } = await host.run({
    program: 'dmsetup',
    args: ['targets'],
    accept: [0, 1],
    changes: false,
  });
  return /^snapshot\s/m.test(stdout) ? null : 'the kernel of this machine has no device-mapper';
};

/** Partitions of a multipath disk are mappings that another program looks after. */
const unlayerable = (disks: readonly Device[]): string | null => {
  const odd = disks.find(({ kind }) => kind !== 'disk' && kind !== 'loop');
  return odd === undefined ? null : `${odd.path ?? odd.name} is no plain disk (${odd.kind})`;
};

/**
 * How a rehearsal keeps the disks as they are, by what the host can do.
 *
 * @param disks those of the system; none for a directory.
 */
export const chooseMeans = async (host: Host, disks: readonly Device[]): Promise<ChosenMeans> => {
  const why =
    disks.length === 0
      ? 'the target is a directory'
      : (unlayerable(disks) ?? (await withoutSnapshots(host)));
  return why === null
    ? { means: 'snapshot', words: snapshotWords }
    : { means: 'overlay', words: overlayWords(why) };
};
