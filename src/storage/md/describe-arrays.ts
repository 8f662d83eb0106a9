import type { Device, Stack } from '../../devices/device.ts';
import { mapBounded } from '../../host/bounded.ts';
import type { Host } from '../../host/host.ts';
import { chooseMembers } from './choose-members.ts';
import { examine, type Member } from './examine.ts';
import { arrayAttribute } from './md-sysfs.ts';

const callsAtATime = 4;

const memberState = (members: readonly Member[], isActive: boolean): Stack['state'] => {
  const state = chooseMembers(members, [])?.state ?? 'impossible';
  if (state === 'complete') return isActive ? 'active' : 'inactive';
  return state === 'degraded' ? 'degraded' : 'partial';
};

/** Members of one array that are attached. Copies of a member count once. */
const memberStack = (members: readonly Member[], isActive: boolean): Stack | null => {
  const [first] = members;
  if (first === undefined) return null;
  const bySlot = new Map(
    members.map((member) => [
      member.role.kind === 'active' ? member.role.slot : member.device,
      member,
    ]),
  );
  const distinct = [...bySlot.values()];
  const choice = chooseMembers(distinct, []);
  return {
    layer: 'md',
    name: first.name ?? (first.preferredMinor === null ? null : `md${first.preferredMinor}`),
    uuid: first.arrayUuid,
    type: first.level,
    state: memberState(distinct, isActive),
    present: choice?.present ?? null,
    expected: first.raidDevices,
  };
};

/** What the kernel says of a running array (Documentation/admin-guide/md.rst). */
const runningStack = async (host: Host, device: Device): Promise<Stack | null> => {
  const { path } = device;
  if (path === null) return null;
  const [level, disks, degraded] = await Promise.all(
    ['level', 'raid_disks', 'degraded'].map((name) => arrayAttribute(host, path, name)),
  );
  const expected = Number(disks ?? 0);
  const missing = Number(degraded ?? 0);
  return {
    layer: 'md',
    name: device.label,
    uuid: null,
    type: level ?? null,
    state: missing > 0 ? 'degraded' : 'active',
    present: expected - missing,
    expected,
  };
};

/** What arrays the devices are, or are members of; by kernel node. Reads only. */
export const describeArrays = async (
  host: Host,
  devices: readonly Device[],
): Promise<ReadonlyMap<string, Stack>> => {
  const nodes = devices.filter(({ fsType }) => fsType === 'linux_raid_member');
  const members = await mapBounded(nodes, callsAtATime, async (device) => {
    const member = device.path === null ? null : await examine(host, device.path);
    return member === null ? [] : [{ member, device }];
  });
  const found = new Map<string, Stack>();
  for (const group of Map.groupBy(members.flat(), ({ member }) => member.arrayUuid).values()) {
    const all = group.map(({ member }) => member);
    for (const { member, device } of group) {
      const isActive = device.children.some(({ kind }) => kind === 'raid');
      const stack = memberStack(all, isActive);
      if (stack !== null) found.set(member.device, stack);
    }
  }
  for (const device of devices) {
    const stack = device.kind === 'raid' ? await runningStack(host, device) : null;
    if (stack !== null && device.path !== null) found.set(device.path, stack);
  }
  return found;
};
