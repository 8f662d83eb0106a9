import { type Mapping, readMappings, standingOn } from '../../devices/mappings.ts';
import type { Host } from '../../host/host.ts';
import { gone, leftBusy, type UndoResult, undone } from '../../host/undo-result.ts';
import { waitUntil } from '../../host/wait.ts';
import { clearHolders } from '../clear-holders.ts';
import { lvmCommand } from './lvm-command.ts';

/** udev looks at a volume for a moment after each change. */
const removeMilliseconds = 10_000;

/** What a session activated of a group, as it stands in the journal. */
export type Activated = {
  readonly group: string;
  /** Kernel nodes of the physical volumes. */
  readonly devices: readonly string[];
  readonly settings: readonly string[];
  /** UUIDs of mappings of the group that were there before. */
  readonly before: readonly string[];
};

/** Volumes on these devices that were not there before: by what they stand on, not by their name. */
const activeOf = async (host: Host, { devices, before }: Activated): Promise<readonly Mapping[]> =>
  standingOn(await readMappings(host), devices).filter(
    ({ uuid }) => uuid.startsWith('LVM-') && !before.includes(uuid),
  );

/** Those on which no other one of them stands. */
const uppermost = (mappings: readonly Mapping[]): readonly Mapping[] =>
  mappings.filter(({ kernelName: name }) => mappings.every(({ standsOn }) => !standsOn.has(name)));

/** For what LVM cannot take down, its disk being pulled: each mapping by itself, from the top. */
const removeEach = async (host: Host, activated: Activated): Promise<void> => {
  for (let before = Number.POSITIVE_INFINITY; ; ) {
    const rest = await activeOf(host, activated);
    if (rest.length === 0 || rest.length >= before) return;
    before = rest.length;
    for (const { name } of uppermost(rest)) {
      await host.run({ program: 'dmsetup', args: ['remove', '--retry', name], accept: [0, 1] });
    }
  }
};

const clearAbove = async (host: Host, mappings: readonly Mapping[]): Promise<UndoResult> => {
  for (const { kernelName: name } of uppermost(mappings)) {
    const above = await clearHolders(host, `/dev/${name}`);
    if (above.outcome === 'left') return above;
  }
  return undone;
};

/** Deactivates the volumes of a group that a session activated, and waits until they are gone. */
export const deactivateGroup = async (host: Host, activated: Activated): Promise<UndoResult> => {
  const active = await activeOf(host, activated);
  if (active.length === 0) return gone;
  const above = await clearAbove(host, active);
  if (above.outcome === 'left') return above;
  const { group, devices, settings, before } = activated;
  if (before.length === 0 && active.every(({ stale }) => !stale)) {
    const args = ['--activate', 'n', group];
    // 5: a volume is busy or the group cannot be read; the kernel's table tells what is left.
    await host.run({ ...lvmCommand('vgchange', { devices, settings }, args), accept: [0, 5] });
  }
  const isDown = async () => (await activeOf(host, activated)).length === 0;
  if (await isDown()) return undone;
  await removeEach(host, activated);
  if (await waitUntil(isDown, removeMilliseconds)) return undone;
  const [busy] = uppermost(await activeOf(host, activated));
  if (busy === undefined) return undone;
  const { majorMinor, name } = busy;
  return leftBusy(host, `/dev/mapper/${name}`, { path: `/dev/${busy.kernelName}`, majorMinor });
};
