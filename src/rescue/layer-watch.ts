import type { Space } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import { RescueError } from '../host/rescue-error.ts';
import { readFill } from '../rehearsal/layer-device.ts';

/** The layer over a disk, or the directory of those over file systems, and what they are over. */
export type WatchedLayer = { readonly over: string } & (
  | { readonly mapping: string }
  | { readonly directory: string }
);

export const layerFull = (name: string): RescueError =>
  new RescueError({
    code: 'LAYER_FULL',
    message: `The copy-on-write layer over ${name} is full: the work was stopped, and nothing of it is kept.`,
    hint: 'The disk is as it was. Make room in the state directory or name a larger one with --state-dir, and try again.',
  });

const eachMilliseconds = 1000;

/** With less left the next write may fail. */
const smallestFreeBytes = 16 * 2 ** 20;

/**
 * Whether a directory has no room left for layers over file systems. What they hold is copied out of
 * them at the end, by way of an archive: twice as much as they have taken has to be free.
 *
 * @param freeAtFirst bytes that were free when there was no layer.
 */
export const isDirectoryFull = ({ sizeBytes, freeBytes }: Space, freeAtFirst: number): boolean =>
  // A file system that keeps no such count says 0.
  sizeBytes > 0 && freeBytes < smallestFreeBytes + 2 * Math.max(freeAtFirst - freeBytes, 0);

/** Bytes that the layers themselves take: others write to the same file system. */
const usedBytes = async (host: Host, directory: string): Promise<number> => {
  const { stdout } = await host.run({
    program: 'du',
    args: ['--summarize', '--block-size=1', directory],
    // 1: a file that went away meanwhile.
    accept: [0, 1],
    changes: false,
  });
  return Number.parseInt(stdout, 10) || 0;
};

const isFull = async (
  host: Host,
  layer: WatchedLayer,
  freeAtFirst: Map<string, number>,
): Promise<boolean> => {
  if ('mapping' in layer) return (await readFill(host, layer.mapping)) === 'full';
  const space = await host.files.space(layer.directory);
  const first = freeAtFirst.get(layer.directory) ?? space.freeBytes;
  freeAtFirst.set(layer.directory, first);
  if (!isDirectoryFull(space, first)) return false;
  const used = await usedBytes(host, layer.directory);
  return isDirectoryFull(space, space.freeBytes + used);
};

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
  const freeAtFirst = new Map<string, number>();
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
    for (const layer of layers) if (await isFull(host, layer, freeAtFirst)) return layer;
    return undefined;
  };
  const watching = (async () => {
    while (!stopped) {
      // A question that fails is asked again: the mapping itself is the session's to look after.
      const full = await fullOne().catch(() => undefined);
      if (full !== undefined) return onFull(layerFull(full.over));
      if (!stopped) await pause();
    }
  })();
  return async () => {
    stopped = true;
    wake();
    await watching;
  };
};
