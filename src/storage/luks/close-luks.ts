import { kernelName } from '../../devices/kernel-name.ts';
import { type Mapping, readMappings } from '../../devices/mappings.ts';
import type { Host } from '../../host/host.ts';
import { gone, leftBusy, type UndoResult, undone } from '../../host/undo-result.ts';
import { waitUntil } from '../../host/wait.ts';
import { clearHolders } from '../clear-holders.ts';

/** cryptsetup itself tries for five seconds; a scan by udev may take a little longer. */
const closeMilliseconds = 5000;

/**
 * The mapping that was opened under a name. cryptsetup makes that name a part of the device-mapper
 * UUID (`CRYPT-LUKS2-…-NAME`), which stays the same when the mapping is renamed.
 */
export const findLuksMapping = async (host: Host, openedAs: string): Promise<Mapping | null> =>
  (await readMappings(host)).find(
    ({ uuid }) => uuid.startsWith('CRYPT-LUKS') && uuid.endsWith(`-${openedAs}`),
  ) ?? null;

/**
 * While cryptsetup tries a key it may map the key's area, where the kernel has no AF_ALG. Killed in
 * that moment it leaves that mapping, named after its own process.
 */
const removeOrphans = async (host: Host, device: string): Promise<boolean> => {
  const node = kernelName(device);
  const holders = (await host.files.list(`/sys/class/block/${node}/holders`)) ?? [];
  let removed = false;
  for (const { kernelName, name } of await readMappings(host)) {
    const pid = /^temporary-cryptsetup-(\d+)/.exec(name)?.[1];
    if (pid === undefined || !holders.includes(kernelName)) continue;
    if ((await host.files.status(`/proc/${pid}`)) !== null) continue;
    await host.run({ program: 'dmsetup', args: ['remove', '--retry', name] });
    removed = true;
  }
  return removed;
};

/** Closes an encrypted volume that a session opened, by whatever name it goes now. */
export const closeLuks = async (
  host: Host,
  { mapping: openedAs, device }: { readonly mapping: string; readonly device: string },
): Promise<UndoResult> => {
  const mapping = await findLuksMapping(host, openedAs);
  if (mapping === null) return (await removeOrphans(host, device)) ? undone : gone;
  const node = `/dev/${mapping.kernelName}`;
  const above = await clearHolders(host, node);
  if (above.outcome === 'left') return above;
  // 4: no such device, somebody was quicker; 5: busy.
  await host.run({ program: 'cryptsetup', args: ['close', mapping.name], accept: [0, 4, 5] });
  const closed = async () => (await findLuksMapping(host, openedAs)) === null;
  if (await waitUntil(closed, closeMilliseconds)) return undone;
  const shown = `/dev/mapper/${mapping.name}`;
  return leftBusy(host, shown, { path: node, majorMinor: mapping.majorMinor });
};
