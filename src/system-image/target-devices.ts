import { type Device, memberTypes } from '../devices/device.ts';

/** A device with the attached disks that it stands on. */
export type Node = {
  readonly device: Device;
  /** The tops of the trees in which it was reached: several for RAID and multipath. */
  readonly disks: readonly Device[];
  readonly ancestors: readonly Device[];
};

/** Whether two nodes of different trees are the same device. */
export const sameDevice = (one: Device, other: Device): boolean =>
  one === other || (one.path !== null && one.path === other.path);

const identity = (device: Device): unknown => device.path ?? device;

const walk = (device: Device, disk: Device, ancestors: readonly Device[]): readonly Node[] => {
  // What stands on a device of the host is the host's too, whether or not it says so itself.
  if (device.protected !== null) return [];
  const below = [...ancestors, device];
  return [
    { device, disks: [disk], ancestors },
    ...device.children.flatMap((child) => walk(child, disk, below)),
  ];
};

const merged = (nodes: readonly Node[]): readonly Node[] => {
  const known = new Map<unknown, Node>();
  for (const node of nodes) {
    const before = known.get(identity(node.device));
    known.set(identity(node.device), {
      device: node.device,
      disks: [...new Set([...(before?.disks ?? []), ...node.disks])],
      ancestors: [...(before?.ancestors ?? []), ...node.ancestors],
    });
  }
  return [...known.values()];
};

/** Every device of the trees once, without those that are protected. */
export const targetNodes = (devices: readonly Device[]): readonly Node[] =>
  merged(devices.flatMap((disk) => walk(disk, disk, [])));

/**
 * The devices that match. Of a pair in which one stands on the other only the upper one is kept:
 * the path of a multipath disk, or the half of an old-style mirror, shows the same UUID.
 */
export const candidatesAmong = (
  devices: readonly Device[],
  matches: (device: Device) => boolean,
): readonly Node[] => {
  const nodes = targetNodes(devices).filter((node) => matches(node.device));
  const lower = new Set(nodes.flatMap((node) => node.ancestors).map(identity));
  return nodes.filter((node) => !lower.has(identity(node.device)));
};

const layerTypes = new Set([...memberTypes, 'bcache']);

/** Whether a part of some stack is attached that nothing has been opened on. */
export const hasClosedLayer = (devices: readonly Device[]): boolean =>
  targetNodes(devices).some(
    ({ device }) => layerTypes.has(device.fsType ?? '') && device.children.length === 0,
  );
