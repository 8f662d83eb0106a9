import type { Host } from '../host/host.ts';
import { blankDevice, type Device, type DeviceKind } from './device.ts';
import { mapperLinks } from './mapper-links.ts';
import { type Mapping, readMappings } from './mappings.ts';
import type { DeviceUses } from './mounts.ts';

const sysfs = '/sys/class/block';

const kinds: readonly (readonly [string, DeviceKind & ('lvm' | 'luks')])[] = [
  ['LVM-', 'lvm'],
  ['CRYPT-', 'luks'],
];

const staleDevice = async (
  host: Host,
  { kernelName, name, uuid, majorMinor }: Mapping,
  uses: DeviceUses,
): Promise<Device> => {
  // It may go away between the listing and the reading.
  const size = await host.files.readText(`${sysfs}/${kernelName}/size`).catch(() => null);
  const kind = kinds.find(([start]) => uuid.startsWith(start))?.[1] ?? 'mapper';
  const mounts = (uses.byDevice.get(majorMinor) ?? []).map((use) =>
    use.kind === 'swap' ? '[SWAP]' : use.path,
  );
  const advice =
    mounts.length === 0
      ? `remove it with: dmsetup remove ${name}`
      : `unmount ${mounts.join(', ')}, then remove it with: dmsetup remove ${name}`;
  return {
    ...blankDevice,
    ...{ path: `/dev/${kernelName}`, name: kernelName, majorMinor, kind, mountpoints: mounts },
    aliases: [`/dev/mapper/${name}`, ...mapperLinks({ name, uuid: uuid || null })],
    // In units of 512 bytes, whatever the sector size (Documentation/ABI, sysfs-block).
    sizeBytes: Number(size ?? 0) * 512,
    stack: {
      ...{ layer: kind, name, uuid: null, type: null, state: 'stale' },
      ...{ present: null, expected: null },
    },
    protected: { reason: `the disk below it is gone; ${advice}` },
  };
};

/**
 * Device-mapper devices whose disk was pulled. lsblk leaves them out, for it starts from the disks;
 * they hold their names, and what is mounted from them gives errors. They are never touched.
 *
 * @param known kernel names of the devices that lsblk shows.
 */
export const readStaleMappings = async (
  host: Host,
  known: { readonly has: (name: string) => boolean },
  uses: DeviceUses,
): Promise<readonly Device[]> => {
  const mappings = await readMappings(host, (name) => !known.has(name));
  return Promise.all(
    mappings.filter(({ stale }) => stale).map((mapping) => staleDevice(host, mapping, uses)),
  );
};
