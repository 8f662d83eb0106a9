import type { Files } from '../host/files.ts';
import { layerFiles, sealLayer } from '../rehearsal/layer-store.ts';
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
