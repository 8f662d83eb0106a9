import type { Means } from '../rehearsal/record.ts';
import { forgetDetached } from '../storage/btrfs-registration.ts';
import { dropLayer } from './drop-layer.ts';
import { layLayers } from './lay-layers.ts';
import type { SystemMode } from './mount-system.ts';
import type { Stage } from './rehearsal-files.ts';
import { nameOnLayer, type RehearseRequest, standIn } from './rehearsal-look.ts';
import { findOrigins, type Origin } from './stand-aside.ts';
import type { FoundSystem } from './survey.ts';

/** What the work is done on in place of the target. */
export type RehearsalPlace = {
  readonly means: Means;
  readonly target: string;
  readonly withDisks: readonly string[];
  readonly system: string | null;
  /** `write` on layers over disks; `ephemeral` where each file system has a layer of its own. */
  readonly mode: Extract<SystemMode, 'write' | 'ephemeral'>;
  /** Where the layers of an `ephemeral` mount are kept. */
  readonly layers?: string;
};

/** Layers that are up. */
export type Laid = {
  readonly place: RehearsalPlace;
  readonly origins: readonly Origin[];
  /** Nodes of the layers; none for overlays. */
  readonly nodes: readonly string[];
  readonly mappings: readonly string[];
  readonly protectedSince: number;
};

const overlayPlace = ({ look, directory }: Stage, request: RehearseRequest): Laid => ({
  place: {
    means: 'overlay',
    target: request.target,
    withDisks: request.withDisks,
    system: look.found.oneOfSeveral,
    mode: 'ephemeral',
    layers: `${directory}/layers`,
  },
  origins: [],
  nodes: [],
  mappings: [],
  protectedSince: Number.POSITIVE_INFINITY,
});

const hasBtrfs = ({ mounts }: FoundSystem): boolean =>
  mounts.some(({ fsType }) => fsType === 'btrfs');

/** `/dev/loop1p3` is on `/dev/loop1`, `/dev/loop13` is not. */
const isOn = (place: string, disk: string): boolean =>
  place === disk || place.startsWith(`${disk}p`);

const snapshotPlace = async (stage: Stage): Promise<Laid> => {
  const { session, look, directory, record, observer } = stage;
  const origins = await findOrigins(session, record.disks);
  const { layers, protectedSince } = await layLayers(
    session,
    origins,
    directory,
    hasBtrfs(look.found.system),
  );
  const nodes = layers.map(({ node }) => node);
  for (const [index, { name }] of origins.entries()) {
    observer.note(`${nodes[index]} is the layer over ${name}`);
  }
  const named = look.found.attached?.all ?? [];
  const places = named.flatMap(({ path }) => standIn(look.devices, nodes, path) ?? []);
  const [target = nodes[0] ?? '', ...withNamed] = places;
  const others = nodes.filter((node) => !places.some((place) => isOn(place, node)));
  return {
    place: {
      means: 'snapshot',
      target,
      withDisks: [...withNamed, ...others],
      system: nameOnLayer(look.found),
      mode: 'write',
    },
    origins,
    nodes,
    mappings: layers.map(({ mapping }) => mapping),
    protectedSince,
  };
};

/** Lays the layers, of whatever kind; nothing is left of them when that fails. */
export const layDown = async (stage: Stage, request: RehearseRequest): Promise<Laid> => {
  if (stage.record.means === 'overlay') return overlayPlace(stage, request);
  const { session, directory, record } = stage;
  const since = session.mark();
  try {
    return await snapshotPlace(stage);
  } catch (error) {
    // Nothing was tried yet: nothing of it is kept.
    await session.takeDownSince(since);
    await dropLayer(session.host, directory, record);
    throw error;
  }
};

/** Takes the layers of disks down; the session then sees the disks themselves again. */
export const takeUp = async ({ session }: Stage, laid: Laid, system: FoundSystem) => {
  if (laid.origins.length === 0) return;
  await session.takeDownSince(laid.protectedSince);
  session.aside.clear();
  // The kernel remembers what was on the layer, and would refuse the older one on the disk.
  if (hasBtrfs(system)) await forgetDetached(session.host, []);
};
