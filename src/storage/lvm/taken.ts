import type { Mapping } from '../../devices/mappings.ts';
import type { LayerContext } from '../layer.ts';
import { type GroupInstance, shownDevice } from './group-instance.ts';
import { isOfGroup, mapperUuid } from './names.ts';

/** What of a group is active, and what of its names is somebody else's. */
export type Presence = {
  /** UUIDs of the mappings of this very group on these very devices. */
  readonly active: ReadonlySet<string>;
  /** Something else has its name or its identity: the host's own group, a clone, a stale mapping. */
  readonly takenBy: readonly Mapping[];
};

const foreignCover = (session: string, mappings: readonly Mapping[]): ReadonlySet<string> =>
  new Set(
    mappings
      .filter(({ name }) => /^rescuekit-[0-9a-f]+-pv-/.test(name))
      .filter(({ name }) => !name.startsWith(`rescuekit-${session}-`))
      .map(({ kernelName }) => kernelName),
  );

/** Looks for a group in the kernel's table of mappings. */
export const presenceOf = (
  { group, nodes }: GroupInstance,
  mappings: readonly Mapping[],
  { session }: Pick<LayerContext, 'session'>,
): Presence => {
  const foreign = foreignCover(session, mappings);
  const names = nodes.map((node) => shownDevice(node).name);
  const isOurs = ({ standsOn, stale }: Mapping): boolean =>
    !stale &&
    names.some((name) => standsOn.has(name)) &&
    // On another session's private view it is that session's group.
    ![...foreign].some((name) => standsOn.has(name));
  const identity = mapperUuid(group.uuid);
  const same = mappings.filter(({ uuid }) => uuid.startsWith(identity));
  const active = same.filter(isOurs);
  return {
    active: new Set(active.map(({ uuid }) => uuid)),
    takenBy: mappings.filter(
      (mapping) =>
        !active.includes(mapping) &&
        (same.includes(mapping) || isOfGroup(mapping.name, group.name)),
    ),
  };
};
