import type { Host } from '../host/host.ts';
import type { Change } from './change.ts';
import { entryCommands } from './entry-commands.ts';
import { placeOfChange } from './place.ts';
import { temporaryName } from './temporary-name.ts';

/**
 * Makes a change on a throwaway layer, where nothing has to be kept for an undo. Bytes of a device
 * have no place there and are left out.
 *
 * @param root host directory of the layer.
 * @param scratch file of the session's own for the content on its way; it is removed again.
 * @returns where the change was made, as a path of the system; null for what was left out.
 * @throws RescueError `NO_PLACE`, `COMMAND_FAILED` (1).
 */
export const applyOnLayer = async (
  host: Host,
  root: string,
  change: Change,
  scratch: string,
): Promise<string | null> => {
  if (change.kind === 'write-bytes') return null;
  const place = await placeOfChange(host, root, change);
  const temporary = `${place.directory.hostPath}/${temporaryName()}`;
  const before = await host.files.entryState(place.hostPath);
  if (change.kind === 'write-file') await host.files.writeSynced(scratch, change.content);
  const from = change.kind === 'copy-entry' ? await host.files.entryState(change.from) : null;
  const sources = { content: scratch, temporary, fromKind: from?.kind ?? 'file' } as const;
  for (const [program, ...args] of entryCommands(change, place, before, sources)) {
    await host.run({ program, args, changes: false });
  }
  await host.files.removeFile(scratch);
  return place.path;
};
