import { kernelName } from '../devices/kernel-name.ts';
import type { Host } from '../host/host.ts';
import { gone, type UndoResult, undone } from '../host/undo-result.ts';
import { waitUntil } from '../host/wait.ts';

/** A stop of an array or mapping ends after the last of its openers, udev among them. */
const stopMilliseconds = 10_000;

const sysfs = (name: string): string => `/sys/class/block/${name}`;

/** What stands on a device or on one of its partitions. */
const holdersOf = async (host: Host, name: string): Promise<readonly string[]> => {
  const entries = (await host.files.list(sysfs(name))) ?? [];
  const partitions = entries.filter((entry) => entry.startsWith(name));
  const lists = await Promise.all(
    [name, ...partitions.map((entry) => `${name}/${entry}`)].map((path) =>
      host.files.list(`${sysfs(path)}/holders`),
    ),
  );
  return [...new Set(lists.flatMap((list) => list ?? []))];
};

const exists = async (host: Host, name: string): Promise<boolean> =>
  (await host.files.status(sysfs(name))) !== null;

/** md devices stay as empty nodes for a moment: an array without a level is stopped. */
const isStopped = async (host: Host, name: string): Promise<boolean> => {
  const state =
    (await host.files.readText(`${sysfs(name)}/md/array_state`).catch(() => null)) ?? '';
  return !(await exists(host, name)) || state.trim() === 'clear' || state.trim() === '';
};

const stopHolder = async (host: Host, name: string): Promise<boolean> => {
  if (/^md/.test(name)) {
    const args = ['--stop', `/dev/${name}`];
    await host.run({ program: 'mdadm', args, accept: [0, 1] });
    return waitUntil(() => isStopped(host, name), stopMilliseconds);
  }
  const mapping = (await host.files.readText(`${sysfs(name)}/dm/name`))?.trim();
  if (mapping === undefined) return !(await exists(host, name));
  // --retry: udev looks at a device for a moment after each change.
  await host.run({ program: 'dmsetup', args: ['remove', '--retry', mapping], accept: [0, 1] });
  return waitUntil(async () => !(await exists(host, name)), stopMilliseconds);
};

/**
 * Takes down what stands on a device that a session made: an array or group that the host's udev
 * activated on it by itself. It was not there before the device, so it is the session's. The
 * uppermost first; what is in use stays and is named.
 *
 * @param device node of the session's own, for instance `/dev/md127` or `/dev/loop3`.
 */
export const clearHolders = async (host: Host, device: string): Promise<UndoResult> => {
  const holders = await holdersOf(host, kernelName(device));
  for (const name of holders) {
    const above = await clearHolders(host, `/dev/${name}`);
    if (above.outcome === 'left') return above;
    // Two paths may have led to it, and the first one has taken it down.
    if (!(await exists(host, name))) continue;
    if (!(await stopHolder(host, name))) {
      return { outcome: 'left', reason: `/dev/${name} on ${device} is busy` };
    }
  }
  return holders.length === 0 ? gone : undone;
};
