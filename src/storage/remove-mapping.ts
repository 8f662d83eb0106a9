import { readMappings } from '../devices/mappings.ts';
import type { Host } from '../host/host.ts';
import { gone, leftBusy, type UndoResult, undone } from '../host/undo-result.ts';
import { waitUntil } from '../host/wait.ts';
import { clearHolders } from './clear-holders.ts';

/** udev looks at a device for a moment after each change. */
const patienceMilliseconds = 10_000;

/** Removes a mapping that the session made, told by its UUID, with what stands idle on it. */
export const removeMapping = async (host: Host, uuid: string): Promise<UndoResult> => {
  const find = async () => (await readMappings(host)).find((mapping) => mapping.uuid === uuid);
  const mapping = await find();
  if (mapping === undefined) return gone;
  const node = `/dev/${mapping.kernelName}`;
  const above = await clearHolders(host, node);
  if (above.outcome === 'left') return above;
  await host.run({ program: 'dmsetup', args: ['remove', '--retry', mapping.name], accept: [0, 1] });
  if (await waitUntil(async () => (await find()) === undefined, patienceMilliseconds))
    return undone;
  const held = { path: node, majorMinor: mapping.majorMinor };
  return leftBusy(host, `/dev/mapper/${mapping.name}`, held);
};
