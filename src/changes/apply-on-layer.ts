import type { Host } from '../host/host.ts';
import type { Change } from './change.ts';
import { entryCommands } from './entry-commands.ts';
import { placeOf } from './place.ts';

/**
 * Makes a change on a throwaway layer, where nothing has to be kept for an undo. Bytes of a device
 * have no place there and are left out.
 *
 * @param root host directory of the layer.
 * @throws RescueError `NO_PLACE`, `COMMAND_FAILED` (1).
 */
export const applyOnLayer = async (host: Host, root: string, change: Change): Promise<void> => {
  if (change.kind === 'write-bytes') return;
  const place = await placeOf(host, root, change.path);
  const temporary = `${place.directory.hostPath}/.rescuekit-0.new`;
  const content = `${place.directory.hostPath}/.rescuekit-0.content`;
  const before = await host.files.entryState(place.hostPath);
  if (change.kind === 'write-file') await host.files.writeSynced(content, change.content);
  const from = change.kind === 'copy-entry' ? await host.files.entryState(change.from) : null;
  const sources = { content, temporary, fromKind: from?.kind ?? 'file' } as const;
  for (const [program, ...args] of entryCommands(change, place, before, sources)) {
    await host.run({ program, args, changes: false });
  }
  await host.files.removeFile(content);
};
