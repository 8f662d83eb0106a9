import type { Host } from '../host/host.ts';
import type { Change } from './change.ts';
import { sameAttributes } from './same-attributes.ts';
import { sameEntry } from './same-state.ts';

/** One overlay: what was below, what was written, and both seen as one (overlayfs(5)). */
export type Layer = {
  readonly lower: string;
  readonly upper: string;
  readonly merged: string;
  /** Where it is mounted inside the system, `/` for the root. */
  readonly target: string;
};

/** Places that a boot fills anew; what a program leaves there is no change of the system. */
const volatile = new Set(['/dev', '/proc', '/run', '/sys', '/tmp']);

const inside = (target: string, relative: string): string =>
  `${target === '/' ? '' : target}${relative}` || '/';

const removal = async (host: Host, lower: string, path: string): Promise<readonly Change[]> => {
  const status = await host.files.status(lower);
  const names = status?.kind === 'directory' ? ((await host.files.list(lower)) ?? []) : [];
  const below: Change[] = [];
  for (const name of names)
    below.push(...(await removal(host, `${lower}/${name}`, `${path}/${name}`)));
  return [...below, { kind: 'remove', path }];
};

const entryChanges = async (
  host: Host,
  layer: Layer,
  relative: string,
): Promise<readonly Change[]> => {
  const path = inside(layer.target, relative);
  if (volatile.has(path)) return [];
  const from = `${layer.merged}${relative}`;
  const [before, after] = await Promise.all([
    host.files.entryState(`${layer.lower}${relative}`),
    host.files.entryState(from),
  ]);
  // A whiteout, or a device node, socket or FIFO that a program has left.
  if (after === null || after.kind === 'other') return [];
  const replaced = before !== null && before.kind !== after.kind;
  const first = replaced ? await removal(host, `${layer.lower}${relative}`, path) : [];
  const isSame =
    sameEntry(before, after) &&
    (await sameAttributes(host, after, `${layer.lower}${relative}`, from));
  const own: readonly Change[] = isSame ? [] : [{ kind: 'copy-entry', path, from }];
  const rest = after.kind === 'directory' ? await directoryChanges(host, layer, relative) : [];
  return [...first, ...own, ...rest];
};

const directoryChanges = async (
  host: Host,
  layer: Layer,
  relative: string,
): Promise<readonly Change[]> => {
  const [lower, merged, upper] = await Promise.all(
    [layer.lower, layer.merged, layer.upper].map((top) => host.files.list(`${top}${relative}`)),
  );
  const seen = new Set(merged ?? []);
  const changes: Change[] = [];
  // Compared by what is seen: it covers single removals and directories that were made anew.
  for (const name of lower ?? []) {
    const path = `${relative}/${name}`;
    if (seen.has(name) || volatile.has(inside(layer.target, path))) continue;
    changes.push(...(await removal(host, `${layer.lower}${path}`, inside(layer.target, path))));
  }
  for (const name of upper ?? []) {
    if (seen.has(name)) changes.push(...(await entryChanges(host, layer, `${relative}/${name}`)));
  }
  return changes;
};

/**
 * What was changed in a layer, as changes of the system below it. Entries that were only touched, or
 * written with what they held before, are none. Sources are paths of the merged view: the layer must
 * stay mounted until the changes are made.
 */
export const layerChanges = (host: Host, layer: Layer): Promise<readonly Change[]> =>
  directoryChanges(host, layer, '');
