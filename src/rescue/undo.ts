import { removeCgroups } from '../container/limits.ts';
import { stopContainer } from '../container/stop.ts';
import { unmount, unmountBelow } from '../filesystems/unmount.ts';
import type { Host } from '../host/host.ts';
import { messageOf } from '../host/rescue-error.ts';
import type { UndoAction } from '../host/undo-action.ts';
import { gone, type UndoResult, undone } from '../host/undo-result.ts';
import { mergeState } from '../rehearsal/merge-state.ts';
import { lookAgain } from '../rehearsal/udev-rest.ts';
import { restoreRegistration } from '../storage/btrfs-registration.ts';
import { restoreBtrfsUuid } from '../storage/btrfs-rename.ts';
import { detachLoop } from '../storage/loop.ts';
import { closeLuks } from '../storage/luks/close-luks.ts';
import { deactivateGroup } from '../storage/lvm/deactivate.ts';
import { restoreInactive, stopArray } from '../storage/md/stop-array.ts';
import { removePartitions } from '../storage/partitions.ts';
import { removeMapping } from '../storage/remove-mapping.ts';
import { rereadTables } from '../storage/reread-table.ts';
import { setWritable } from '../storage/write-protect.ts';
import { stopVm } from '../verification/vm/stop-vm.ts';
import { undoHooks } from './hook-undo.ts';

/** A disk that something still stands on, or that is half written, is no disk to be assembled. */
const waits: UndoResult = {
  outcome: 'left',
  reason: 'it waits until everything else is down',
};

const fromBoolean = (did: boolean): UndoResult => (did ? undone : gone);

const removeScratch = async (host: Host, path: string): Promise<UndoResult> => {
  if ((await host.files.status(path)) === null) return gone;
  const unmounted = await unmountBelow(host, path);
  if (unmounted.outcome === 'left') return unmounted;
  await host.files.removeTree(path);
  return undone;
};

const act = async (host: Host, action: UndoAction, allDown: boolean): Promise<UndoResult> => {
  switch (action.kind) {
    case 'unmount':
      return unmount(host, action.path, action.source);
    case 'detach-loop':
      return detachLoop(host, action.device, action.backingFile);
    case 'remove-partitions':
      return removePartitions(host, action);
    case 'close-luks':
      return closeLuks(host, action);
    case 'stop-array':
      return stopArray(host, action);
    case 'restore-inactive-array':
      return restoreInactive(host, action);
    case 'deactivate-group':
      return deactivateGroup(host, action);
    case 'set-writable':
      return setWritable(host, action.device);
    case 'remove-directory':
      return fromBoolean(await host.files.removeDirectory(action.path));
    case 'remove-scratch':
      return removeScratch(host, action.path);
    case 'remove-file':
      return fromBoolean(await host.files.removeFile(action.path));
    case 'stop-container':
      return stopContainer(host, action);
    case 'stop-vm':
      return stopVm(host, action.session);
    case 'remove-cgroups':
      return removeCgroups(host, action.paths);
    case 'run-hooks':
      return undoHooks(host, action, allDown);
    case 'btrfs-registration':
      return restoreRegistration(host, action);
    case 'restore-btrfs-uuid':
      return restoreBtrfsUuid(host, action);
    case 'remove-mapping':
      return removeMapping(host, action.uuid);
    case 'udev-look-again':
      return allDown ? lookAgain(host, action) : waits;
    case 'reread-tables':
      return allDown ? rereadTables(host, action.devices) : waits;
    case 'finish-merge':
      return mergeState(host, action);
  }
};

/**
 * Takes one thing down: looks whether it is still there and still ours, acts, and looks again.
 * Never throws: what could not be done is the result, so that the rest still comes down.
 *
 * @param allDown whether everything that came before it is down, which hooks are told.
 */
export const performUndo = async (
  host: Host,
  action: UndoAction,
  allDown: boolean,
): Promise<UndoResult> => {
  try {
    return await act(host, action, allDown);
  } catch (error) {
    return { outcome: 'left', reason: messageOf(error) };
  }
};
