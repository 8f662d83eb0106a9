import type { Files } from '../host/files.ts';
import { layerFiles, sealLayer } from '../rehearsal/layer-store.ts';
import { type RehearsalRecord, writeRehearsal } from '../rehearsal/record.ts';
import type { RehearsalReport } from '../rehearsal/report.ts';
import type { Origin } from './stand-aside.ts';

/**
 * Compares the layers with their disks and keeps what the disks have where they differ.
 *
 * @param directory of the rehearsal.
 * @throws RescueError `LAYER_FULL`, `LAYER_DAMAGED`
 */
export const sealLayers = async (
  files: Files,
  directory: string,
  origins: readonly Origin[],
): Promise<RehearsalReport['disks']> => {
  const disks: RehearsalReport['disks'][number][] = [];
  for (const { name, path, number } of origins) {
    const amount = await sealLayer(files, path, layerFiles(directory, number));
    disks.push({ disk: name, ...amount });
  }
  return disks;
};

/**
 * Seals the layers of a session that did not come to its end, of which all is down: they can then be
 * committed like any other, but what changed in the files is not known.
 *
 * @param directory of the rehearsal.
 */
export const sealUnfinished = async (
  files: Files,
  directory: string,
  record: RehearsalRecord,
  origins: readonly Origin[],
): Promise<RehearsalRecord> => {
  const disks = await sealLayers(files, directory, origins);
  const filesNote = 'The session did not come to its end, so its files were not compared.';
  const sealed: RehearsalRecord = {
    ...record,
    phase: 'kept',
    report: {
      ...{ disks, files: null, fileCount: 0, filesNote, proof: null, proven: false },
      ...{ notProven: 'the session did not come to its end', succeeded: false },
    },
  };
  await writeRehearsal(files, directory, sealed);
  return sealed;
};
