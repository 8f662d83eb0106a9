import type { Host } from '../host/host.ts';
import { RescueError } from '../host/rescue-error.ts';
import { readFill } from '../rehearsal/layer-device.ts';
import type { Origin } from './stand-aside.ts';

/** A layer and the disk that it is over. */
export type WatchedLayer = { readonly mapping: string; readonly origin: Pick<Origin, 'name'> };

export const layerFull = (name: string): RescueError =>
  new RescueError({
    code: 'LAYER_FULL',
    message: `The copy-on-write layer over ${name} is full: the work was stopped, and nothing of it is kept.`,
    hint: 'The disk is as it was. Make room in the state directory or name a larger one with --state-dir, and try again.',
  });

const eachMilliseconds = 1000;

/**
 * Watches how full layers are, and tells once when one has no room left. The kernel tells of a layer
 * that broke (dmsetup wait), and not of one that is about to; so its status is asked for.
 *
 * @param host one that writes no transcript: the questions are no part of the work.
 * @returns stops watching; resolves when the last question is answered.
 */
export const watchLayers = (
  host: Host,
  layers: readonly WatchedLayer[],
  onFull: (error: RescueError) => void,
): (() => Promise<void>) => {
  let stopped = false;
  let wake = () => {};
  const pause = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, eachMilliseconds);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  const fullOne = async (): Promise<WatchedLayer | undefined> => {
    for (const layer of layers) if ((await readFill(host, layer.mapping)) === 'full') return layer;
    return undefined;
  };
  const watching = (async () => {
    while (!stopped) {
      // A question that fails is asked again: the mapping itself is the session's to look after.
      const full = await fullOne().catch(() => undefined);
      if (full !== undefined) return onFull(layerFull(full.origin.name));
      if (!stopped) await pause();
    }
  })();
  return async () => {
    stopped = true;
    wake();
    await watching;
  };
};
