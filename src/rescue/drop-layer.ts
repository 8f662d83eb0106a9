import type { Host } from '../host/host.ts';
import { layerFiles } from '../rehearsal/layer-store.ts';
import { type RehearsalRecord, writeRehearsal } from '../rehearsal/record.ts';

/**
 * Removes a layer, of which nothing is up any more.
 *
 * @param directory of the rehearsal.
 */
export const dropLayer = async (
  { files }: Host,
  directory: string,
  record: RehearsalRecord,
): Promise<RehearsalRecord> => {
  const dropped = { ...record, phase: 'dropped' as const };
  await writeRehearsal(files, directory, dropped);
  for (const { number } of record.disks) {
    for (const path of Object.values(layerFiles(directory, number))) await files.removeFile(path);
  }
  for (const name of ['layers', 'entries']) await files.removeTree(`${directory}/${name}`);
  await files.removeFile(`${directory}/entries.json`);
  return dropped;
};
