import { type LayerDevice, layDevice, storeSizes } from '../rehearsal/layer-device.ts';
import { layerFiles } from '../rehearsal/layer-store.ts';
import { layerRuleCommands } from '../rehearsal/udev-rest.ts';
import type { Session } from './session.ts';
import { type Origin, protectOrigins, putAside, standAside } from './stand-aside.ts';

export type LaidLayers = {
  readonly layers: readonly LayerDevice[];
  /** Steps since here are the protection of the disks, and what came after it. */
  readonly protectedSince: number;
};

/**
 * Lets the disks stand aside, protects them, and lays a layer over each: from here on the session
 * sees the layers in their place.
 *
 * @param directory where the layers are kept.
 * @param btrfs there is one on the disks.
 */
export const layLayers = async (
  session: Session,
  origins: readonly Origin[],
  directory: string,
  btrfs: boolean,
): Promise<LaidLayers> => {
  const { host, perform, id } = session;
  const rules = await standAside(session, origins, btrfs);
  const protectedSince = session.mark();
  await protectOrigins(session, origins);
  const free = await host.files.freeBytes(directory);
  const sizes = storeSizes(
    origins.map(({ sizeBytes }) => sizeBytes),
    free,
    directory,
  );
  const layers: LayerDevice[] = [];
  for (const [index, { path, number, nodes }] of origins.entries()) {
    const layer = await layDevice(host, perform, {
      origin: path,
      session: id,
      store: layerFiles(directory, number).store,
      storeBytes: sizes[index] ?? 0,
      number,
      beforeShown: async (node) => {
        if (rules === null) return;
        await perform({
          title: `Keep udev from what ${node} shows`,
          commands: layerRuleCommands(rules, node),
          why: 'The session itself opens what is on the layer.',
          risk: 'none: the rule goes with the others when the session ends',
          undo: null,
        });
      },
    });
    await putAside(session, [...nodes.slice(0, 1), ...layer.parts]);
    layers.push(layer);
  }
  return { layers, protectedSince };
};
