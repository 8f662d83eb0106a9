import type { Host } from '../host/host.ts';
import type { Device, DeviceKind } from './device.ts';
import { mapperLinks } from './mapper-links.ts';
import type { DeviceUses } from './mounts.ts';

const sysfs = '/sys/class/block';

const kinds: readonly (readonly [string, DeviceKind & ('lvm' | 'luks')])[] = [
  ['LVM-', 'lvm'],
  ['CRYPT-', 'luks'],
];

const exists = async (host: Host, name: string): Promise<boolean> =>
  (await host.files.status(`${sysfs}/${name}`)) !== null;

/** The kernel keeps the link to a member when the disk was pulled; the member's own entry goes. */
const hasLost = async (host: Host, name: string): Promise<boolean> => {
  for (const slave of (await host.files.list(`${sysfs}/${name}/slaves`)) ?? []) {
    if (!(await exists(host, slave)) || (await hasLost(host, slave))) return true;
  }
  return false;
};

const staleDevice = async (
  host: Host,
  node: string,
  uses: DeviceUses,
): Promise<readonly Device[]> => {
  // A mapping may go away between the listing and the reading.
  const read = async (file: string) =>
    (await host.files.readText(`${sysfs}/${node}/${file}`).catch(() => null))?.trim() ?? null;
  const [name, uuid, majorMinor, size] = await Promise.all(
    ['dm/name', 'dm/uuid', 'dev', 'size'].map(read),
  );
  if (!name || !majorMinor) return [];
  const kind = kinds.find(([start]) => uuid?.startsWith(start))?.[1] ?? 'mapper';
  const mounts = (uses.byDevice.get(majorMinor) ?? []).map((use) =>
    use.kind === 'swap' ? '[SWAP]' : use.path,
  );
  const advice =
    mounts.length === 0
      ? `remove it with: dmsetup remove ${name}`
      : `unmount ${mounts.join(', ')}, then remove it with: dmsetup remove ${name}`;
  return [
    {
      ...{ path: `/dev/${node}`, name: node, majorMinor, kind, mountpoints: mounts },
      aliases: [`/dev/mapper/${name}`, ...mapperLinks({ name, uuid: uuid || null })],
      // In units of 512 bytes, whatever the sector size (Documentation/ABI, sysfs-block).
      sizeBytes: Number(size ?? 0) * 512,
      ...{ model: null, serial: null, transport: null, volumeId: null, readOnly: false },
      ...{ backingFile: null, partitionTable: null, partition: null },
      ...{ fsType: null, label: null, uuid: null, duplicateOf: null, children: [] },
      stack: {
        ...{ layer: kind, name, uuid: null, type: null, state: 'stale' },
        ...{ present: null, expected: null },
      },
      protected: { reason: `the disk below it is gone; ${advice}` },
    },
  ];
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
  const names = ((await host.files.list(sysfs)) ?? []).filter(
    (name) => /^dm-\d+$/.test(name) && !known.has(name),
  );
  const lost = await Promise.all(names.map((name) => hasLost(host, name)));
  const stale = names.filter((_, index) => lost[index] === true);
  return (await Promise.all(stale.map((name) => staleDevice(host, name, uses)))).flat();
};
