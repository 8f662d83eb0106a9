import type { Device, Stack } from '../../devices/device.ts';
import { mapBounded } from '../../host/bounded.ts';
import type { Host } from '../../host/host.ts';
import { readLuksMetadata } from './luks-metadata.ts';

const callsAtATime = 4;

const stackOf = (device: Device, version: number | null): Stack => ({
  layer: 'luks',
  name: null,
  uuid: device.uuid,
  type: version === null ? null : `LUKS${version}`,
  state: device.children.length > 0 ? 'active' : 'locked',
  present: null,
  expected: null,
});

/** Which devices are encrypted, and whether they are open; by kernel node. Reads headers only. */
export const describeContainers = async (
  host: Host,
  devices: readonly Device[],
): Promise<ReadonlyMap<string, Stack>> => {
  const nodes = devices.filter(({ fsType }) => fsType === 'crypto_LUKS');
  const found = await mapBounded(nodes, callsAtATime, async (device) => {
    if (device.path === null) return [];
    const metadata = await readLuksMetadata(host, device.path);
    return [[device.path, stackOf(device, metadata?.version ?? null)] as const];
  });
  return new Map(found.flat());
};
