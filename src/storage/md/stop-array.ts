import type { Host } from '../../host/host.ts';
import { gone, leftBusy, type UndoResult, undone } from '../../host/undo-result.ts';
import { waitUntil } from '../../host/wait.ts';
import { clearHolders } from '../clear-holders.ts';
import { arrayState, hasArray, holdersOf, membersOf, numberOf } from './md-sysfs.ts';

/** mdadm tries for five seconds itself while udev has the array open. */
const stopMilliseconds = 10_000;

/** UUID of the array that stands at a node now; null when mdadm cannot tell. */
const uuidAt = async (host: Host, device: string): Promise<string | null> => {
  const { stdout } = await host.run({
    program: 'mdadm',
    args: ['--detail', '--export', device],
    // 1, 2 and 4: the array is degraded or broken, or there is none.
    accept: [0, 1, 2, 4],
    changes: false,
  });
  return /^MD_UUID=(.+)$/m.exec(stdout)?.[1]?.toLowerCase() ?? null;
};

type Assembled = {
  readonly device: string;
  readonly uuid: string;
  readonly members: readonly string[];
};

/**
 * The node shows our array when it has members of ours and no others. A node without any is what an
 * assembly leaves that was killed half-way.
 */
const isOurs = async (host: Host, { device, uuid, members }: Assembled): Promise<boolean> => {
  const taken = await membersOf(host, device);
  if (taken.some((member) => !members.includes(member))) return false;
  const found = taken.length === 0 ? null : await uuidAt(host, device);
  return found === null || found === uuid;
};

/**
 * Stops an array that a session assembled, if it is still the same one, after what stands on it.
 * Stopping ends after the last of its openers has closed it, so the end is waited for.
 */
export const stopArray = async (host: Host, array: Assembled): Promise<UndoResult> => {
  const { device } = array;
  if ((await arrayState(host, device)) === null || !(await isOurs(host, array))) return gone;
  const cleared = await clearHolders(host, device);
  if (cleared.outcome === 'left') return cleared;
  const majorMinor = await numberOf(host, device);
  await host.run({ program: 'mdadm', args: ['--stop', device], accept: [0, 1] });
  if (await waitUntil(async () => !(await hasArray(host, device)), stopMilliseconds)) return undone;
  return leftBusy(host, device, { path: device, majorMinor });
};

/**
 * Gives members back to an array that waits for the missing ones, as udev had begun it. With mdadm
 * itself and not through a udev event: that would start udev's timer again, by which the host runs
 * an array of its own name after 30 s (mdadm-last-resort@.timer), written to and degraded.
 */
export const restoreInactive = async (
  host: Host,
  { device, members }: Omit<Assembled, 'uuid'>,
): Promise<UndoResult> => {
  const isFree = async (member: string) =>
    (await numberOf(host, member)) !== null && (await holdersOf(host, member)).length === 0;
  const free = await Promise.all(
    members.map(async (member) => ((await isFree(member)) ? [member] : [])),
  );
  const ours = free.flat();
  if (ours.length === 0) return gone;
  for (const member of ours) {
    // 1 and 2: another program has taken it in between, or the disk is gone.
    await host.run({ program: 'mdadm', args: ['--incremental', member], accept: [0, 1, 2] });
  }
  const left = await Promise.all(ours.map(isFree));
  return left.every(Boolean)
    ? { outcome: 'left', reason: `the inactive array ${device} did not come back` }
    : undone;
};
