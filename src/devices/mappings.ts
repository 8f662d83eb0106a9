import type { Host } from '../host/host.ts';
import { kernelName } from './kernel-name.ts';

/** One device-mapper device as the kernel has it now. */
export type Mapping = {
  /** `dm-3`. */
  readonly kernelName: string;
  readonly name: string;
  readonly uuid: string;
  readonly majorMinor: string;
  /** Kernel names of everything that it stands on, down to the disks. */
  readonly standsOn: ReadonlySet<string>;
  /** One of those is no device any more: the disk was pulled. */
  readonly stale: boolean;
};

type Raw = Omit<Mapping, 'standsOn' | 'stale'>;

const sysfs = '/sys/class/block';

const readRaw = async (host: Host, kernelName: string): Promise<Raw | null> => {
  // A mapping may go away between the listing and the reading.
  const read = (file: string) =>
    host.files.readText(`${sysfs}/${kernelName}/${file}`).catch(() => null);
  const [name, uuid, dev] = await Promise.all([read('dm/name'), read('dm/uuid'), read('dev')]);
  if (name === null || uuid === null || dev === null) return null;
  return { kernelName, name: name.trim(), uuid: uuid.trim(), majorMinor: dev.trim() };
};

/** The kernel keeps the link to a member after the disk was pulled; the member's own entry goes. */
const descend = async (
  host: Host,
  name: string,
  seen: Set<string>,
  missing: Set<string>,
): Promise<void> => {
  const slaves = (await host.files.list(`${sysfs}/${name}/slaves`)) ?? [];
  for (const slave of slaves) {
    if (seen.has(slave)) continue;
    seen.add(slave);
    if ((await host.files.status(`${sysfs}/${slave}`)) === null) missing.add(slave);
    await descend(host, slave, seen, missing);
  }
};

const withStand = async (host: Host, raw: Raw): Promise<Mapping> => {
  const standsOn = new Set<string>();
  const missing = new Set<string>();
  await descend(host, raw.kernelName, standsOn, missing);
  return { ...raw, standsOn, stale: missing.size > 0 };
};

/**
 * All device-mapper devices, from sysfs: lsblk leaves out those whose disk was pulled.
 *
 * @param isWanted says by the kernel's name which ones to read.
 */
export const readMappings = async (
  host: Host,
  isWanted: (kernelName: string) => boolean = () => true,
): Promise<readonly Mapping[]> => {
  const names = ((await host.files.list(sysfs)) ?? []).filter(
    (name) => /^dm-\d+$/.test(name) && isWanted(name),
  );
  const found = await Promise.all(names.map((name) => readRaw(host, name)));
  return Promise.all(found.flatMap((raw) => (raw === null ? [] : [withStand(host, raw)])));
};

/** Mappings that stand on one of these nodes. */
export const standingOn = (
  mappings: readonly Mapping[],
  devices: readonly string[],
): readonly Mapping[] => {
  const names = devices.map((path) => {
    // Without udev a node below /dev/mapper is no link to the kernel's own.
    const mapping = path.startsWith('/dev/mapper/')
      ? mappings.find(({ name }) => name === kernelName(path))
      : undefined;
    return mapping?.kernelName ?? kernelName(path);
  });
  return mappings.filter(({ standsOn }) => names.some((name) => standsOn.has(name)));
};
