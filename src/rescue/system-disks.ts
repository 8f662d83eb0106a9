import { type Device, flattenDevice } from '../devices/device.ts';
import { findDevice } from '../devices/read-devices.ts';
import type { Opening } from '../storage/layer.ts';
import type { PlannedMount } from './mount-plan.ts';

type Parts = readonly Pick<PlannedMount, 'target' | 'device'>[];

type Stack = {
  /** All devices of the host as they are with the system's layers open. */
  readonly tree: readonly Device[];
  readonly opened: readonly Pick<Opening, 'devices'>[];
};

/** Where a boot loader's files are, the likeliest first; without a part of their own, in the root. */
const bootParts = ['/boot/efi', '/efi', '/boot', '/'];

const disksUnder = (tree: readonly Device[], path: string): readonly Device[] => {
  const device = findDevice(tree, path);
  return device === null ? [] : tree.filter((disk) => flattenDevice(disk).includes(device));
};

/** An array or group is there as a whole or not at all: its other members' disks belong to it. */
const withMembers = (disks: ReadonlySet<Device>, { tree, opened }: Stack): Set<Device> => {
  const all = new Set(disks);
  for (const { devices } of opened) {
    const under = devices.flatMap((path) => disksUnder(tree, path));
    if (under.some((disk) => all.has(disk))) for (const disk of under) all.add(disk);
  }
  return all.size === disks.size ? all : withMembers(all, { tree, opened });
};

/** Whether a part of the system stands on one of the devices, with whatever layers between. */
export const standsOn = (
  tree: readonly Device[],
  mounts: Parts,
  devices: readonly string[],
): boolean => {
  const parts = mounts.flatMap(({ device }) => (device === null ? [] : [findDevice(tree, device)]));
  const below = devices.flatMap((path) => {
    const device = findDevice(tree, path);
    return device === null ? [] : flattenDevice(device);
  });
  return parts.some((part) => part !== null && below.includes(part));
};

/**
 * All disks that a system needs to boot, in the order in which a firmware is to try them: first the
 * one with what the boot loader reads, then the root's, then the rest.
 *
 * @param mounts its parts; what was not found among the attached disks has no device.
 */
export const disksOfSystem = (stack: Stack, mounts: Parts): readonly Device[] => {
  const { tree } = stack;
  const under = (target: string): readonly Device[] =>
    mounts
      .filter((mount) => mount.target === target)
      .flatMap(({ device }) => (device === null ? [] : disksUnder(tree, device)));
  const boot = bootParts.map(under).find((disks) => disks.length > 0) ?? [];
  const parts = mounts.flatMap(({ device }) => (device === null ? [] : disksUnder(tree, device)));
  return [...withMembers(new Set([...boot, ...under('/'), ...parts]), stack)];
};
