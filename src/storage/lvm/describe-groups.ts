import { type Device, flattenDevice, type Stack } from '../../devices/device.ts';
import type { Host } from '../../host/host.ts';
import { parseVolumeName } from '../../system-image/device-names.ts';
import { findPvNodes, type PvNode, readingSets, shownDevice } from './group-instance.ts';
import { mapperUuid } from './names.ts';
import { type LvmGroup, readGroups } from './report.ts';

const nodePath = (node: PvNode): string => `/dev/${shownDevice(node).name}`;

const stateOf = (group: LvmGroup, present: number, isActive: boolean): Stack['state'] => {
  if (group.exported) return 'exported';
  if (present < group.pvs.length) return 'partial';
  return isActive ? 'active' : 'inactive';
};

const groupStack = (group: LvmGroup, nodes: readonly PvNode[]): Stack => ({
  layer: 'lvm',
  name: group.name,
  uuid: group.uuid,
  type: null,
  state: stateOf(
    group,
    nodes.length,
    nodes.some(({ device }) => device.children.some(({ kind }) => kind === 'lvm')),
  ),
  present: nodes.length,
  expected: group.pvs.length,
});

const volumeStacks = (
  group: LvmGroup,
  devices: readonly Device[],
): readonly (readonly [string, Stack])[] =>
  group.lvs.flatMap((volume) => {
    const id = `/dev/disk/by-id/dm-uuid-${mapperUuid(group.uuid, volume.uuid)}`;
    const device = devices.find(({ aliases }) => aliases.includes(id));
    if (device?.path === undefined || device.path === null) return [];
    const stack: Stack = {
      layer: 'lvm',
      name: `${group.name}/${volume.name}`,
      uuid: volume.uuid,
      type: volume.layout[0] ?? null,
      state: volume.partial ? 'degraded' : 'active',
      present: null,
      expected: null,
    };
    return [[device.path, stack] as const];
  });

/** Of a group that this machine uses only the name, from its volumes: LVM is not asked about it. */
const ownStack = (device: Device): readonly (readonly [string, Stack])[] => {
  const { path, protected: reason, fsType } = device;
  if (path === null || reason === null || fsType !== 'LVM2_member') return [];
  const volume = device.children.find(({ kind }) => kind === 'lvm');
  const name = volume?.aliases.flatMap((alias) => parseVolumeName(alias)?.group ?? [])[0] ?? null;
  const stack = { layer: 'lvm', name, uuid: null, type: null, present: null, expected: null };
  return [[path, { ...stack, state: volume === undefined ? 'inactive' : 'active' } as Stack]];
};

/**
 * Which groups the physical volumes belong to, and of what kind the open volumes are; by kernel
 * node. LVM is shown the attached disks only, each physical volume once. Reads only.
 */
export const describeGroups = async (
  host: Host,
  tree: readonly Device[],
): Promise<ReadonlyMap<string, Stack>> => {
  const devices = [...new Set(tree.flatMap(flattenDevice))];
  const found = new Map<string, Stack>(devices.flatMap(ownStack));
  const free = tree.filter((disk) => disk.protected === null);
  for (const set of readingSets(findPvNodes(free, ''), [])) {
    for (const group of await readGroups(host, set.map(nodePath))) {
      const numbers = new Set(group.pvs.map(({ majorMinor }) => majorMinor));
      const nodes = set.filter((node) => numbers.has(shownDevice(node).majorMinor));
      const stack = groupStack(group, nodes);
      for (const { device } of nodes) if (device.path !== null) found.set(device.path, stack);
      for (const [path, one] of volumeStacks(group, devices)) found.set(path, one);
    }
  }
  return found;
};
