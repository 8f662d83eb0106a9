import { type Device, flattenDevice } from '../devices/device.ts';
import { isArrayName, parseVolumeName } from '../system-image/device-names.ts';
import { arrayNode } from '../system-image/mdadm-conf.ts';
import { openVolumeOn } from '../system-image/resolve-crypttab.ts';
import { resolveContainer } from '../system-image/resolve-spec.ts';
import type { SystemFacts } from '../system-image/system-facts.ts';
import type { PlannedMount, RootPlace } from './mount-plan.ts';

/** What of a system tells which other devices belong to it. */
type Naming = {
  readonly place: Pick<RootPlace, 'disk' | 'disks'> | null;
  readonly mounts: readonly Pick<PlannedMount, 'spec' | 'state'>[];
  readonly facts: Pick<SystemFacts, 'arrays' | 'crypttab'>;
};

const lvmId = '/dev/disk/by-id/dm-uuid-LVM-';
const idLength = 32;

const isMemberOf = (device: Device, layer: string, fits: (name: string) => boolean): boolean =>
  device.stack?.layer === layer &&
  device.stack.state !== 'active' &&
  [device.stack.name, device.stack.uuid].some((name) => name !== null && fits(name));

/** Physical volumes of the group that a spec names. */
const ofGroup = (spec: string, devices: readonly Device[]): readonly Device[] => {
  const id = spec.startsWith(lvmId) ? spec.slice(lvmId.length, lvmId.length + idLength) : null;
  const group = parseVolumeName(spec)?.group ?? null;
  return devices.filter((device) =>
    isMemberOf(device, 'lvm', (name) => name === group || name.replaceAll('-', '') === id),
  );
};

/** Members of the array that a spec means by the system's own mdadm.conf, or by its name. */
const ofArray = (
  spec: string,
  { facts }: Naming,
  devices: readonly Device[],
): readonly Device[] => {
  if (!isArrayName(spec)) return [];
  const node = arrayNode(spec.replace(/p\d+$/, ''));
  const line = facts.arrays.find(({ device }) => device === node);
  const own = node.replace(/^\/dev\/(?:md\/|md)/, '');
  return devices.filter((device) =>
    isMemberOf(device, 'md', (name) => {
      if (line?.uuid != null) return name === line.uuid;
      return (line?.name ?? null) === name || name.replace(/^[^:]*:/, '') === own;
    }),
  );
};

/** Containers of crypttab that lie on another disk and are closed. */
const ofCrypttab = ({ facts, place }: Naming, spec: string): readonly Device[] =>
  facts.crypttab.flatMap((entry) => {
    if (place === null || spec !== `/dev/mapper/${entry.name}`) return [];
    const { disks: devices, disk: rootDisk } = place;
    const found = resolveContainer(entry, { devices, rootDisk, crypttab: facts.crypttab });
    return found.kind === 'found' && openVolumeOn(found.device) === null ? [found.device] : [];
  });

/**
 * Devices on other attached disks that belong to a system, because a line of its fstab that leads
 * nowhere names their group, array or encrypted volume. A UUID names none: what is inside of a
 * closed layer is not known.
 *
 * @param free trees of those disks, with what their members belong to (`describeStacks`).
 * @returns kernel nodes, none when a name is not unique: copies of a disk may be attached.
 */
export const namedElsewhere = (system: Naming, free: readonly Device[]): readonly string[] => {
  const devices = [...new Set(free.flatMap(flattenDevice))];
  const missing = system.mounts.filter(({ state }) => state === 'missing');
  const found = missing.flatMap(({ spec }) => {
    const members = [...ofGroup(spec, devices), ...ofArray(spec, system, devices)];
    const wholes = new Set(members.map(({ stack }) => stack?.uuid));
    const copied = members.some(({ duplicateOf }) => duplicateOf !== null);
    return [...(wholes.size > 1 || copied ? [] : members), ...ofCrypttab(system, spec)];
  });
  return [...new Set(found.flatMap(({ path }) => path ?? []))];
};
