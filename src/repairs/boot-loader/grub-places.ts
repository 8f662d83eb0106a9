import { type Device, flattenDevice } from '../../devices/device.ts';
import { bootDevice } from '../../diagnosis/boot-loader/start-place.ts';
import type { Subject, SubjectDevices } from '../../diagnosis/subject.ts';
import { sameDevice } from '../../system-image/target-devices.ts';

/** A file system as GRUB and `grub-probe` describe it. */
export type GrubPlace = {
  /** Name by which it is asked for again; a made-up one for partitions, whose names change. */
  readonly device: string;
  /** GRUB's module for the file system: `ext2`, `xfs`. */
  readonly fsModule: string;
  readonly uuid: string;
  readonly partUuid: string | null;
  /** `gpt` or `msdos`; empty without a partition table. */
  readonly partitionMap: string;
  /** GRUB's modules for the layers below it. */
  readonly abstraction: readonly string[];
  /** GRUB's name: `hd0,gpt3`, `lvm/vg0-root`; empty when only the UUID tells. */
  readonly hint: string;
  /** Path of the mount point's contents in the file system: empty, or `/@` of a btrfs. */
  readonly top: string;
};

export type GrubPlaces = {
  readonly root: GrubPlace;
  /** The same as `root` when /boot has no file system of its own. */
  readonly boot: GrubPlace;
};

const fsModules: Readonly<Record<string, string>> = {
  ext2: 'ext2',
  ext3: 'ext2',
  ext4: 'ext2',
  xfs: 'xfs',
  btrfs: 'btrfs',
  vfat: 'fat',
  f2fs: 'f2fs',
  jfs: 'jfs',
};

/** The layers from a disk to the device, without the device itself. */
const layersBelow = (disks: readonly Device[], device: Device): readonly Device[] =>
  disks
    .flatMap(flattenDevice)
    .filter(
      (one) =>
        !sameDevice(one, device) && flattenDevice(one).some((above) => sameDevice(above, device)),
    );

const abstractionOf = (layers: readonly Device[]): readonly string[] | null => {
  const modules = layers.flatMap((layer): readonly (string | null)[] => {
    if (layer.kind === 'lvm') return ['lvm'];
    // Old metadata are at the end and have a module of their own.
    if (layer.kind === 'raid') {
      const old = layer.stack?.type === 'raid1' || layer.stack?.type === 'raid0';
      return ['mdraid1x', ...(old ? [] : ['raid5rec', 'raid6rec'])];
    }
    // GRUB would have to ask for the passphrase itself: that needs more than this knows.
    return layer.kind === 'luks' ? [null] : [];
  });
  const known = modules.filter((module) => module !== null);
  return known.length === modules.length ? [...new Set(known)] : null;
};

const hintOf = (device: Device, map: string): string => {
  const volume = device.aliases.find((alias) => alias.startsWith('/dev/mapper/'));
  if (device.kind === 'lvm' && volume !== undefined) {
    return `lvm/${volume.slice('/dev/mapper/'.length)}`;
  }
  return device.partition !== null && map !== '' ? `hd0,${map}${device.partition.number}` : '';
};

const placeOf = (
  devices: SubjectDevices,
  device: Device,
  name: string,
  top: string,
): GrubPlace | null => {
  const disks = [devices.disk, ...devices.disks];
  const layers = layersBelow(disks, device);
  const abstraction = abstractionOf([...layers, device]);
  const fsModule = fsModules[device.fsType ?? ''];
  const volume = devices.volumes.find(({ shownOn }) => shownOn.includes(device.path ?? ''));
  const uuid = volume?.fsid ?? device.uuid;
  if (fsModule === undefined || uuid === null || abstraction === null) return null;
  const table = layers.map(({ partitionTable }) => partitionTable).find((one) => one !== null);
  const partitionMap = table === 'gpt' ? 'gpt' : table === 'dos' ? 'msdos' : '';
  const mapped = device.aliases.find((alias) => alias.startsWith('/dev/mapper/'));
  return {
    ...{ fsModule, uuid, partitionMap, abstraction, top },
    device: device.kind === 'lvm' && mapped !== undefined ? mapped : name,
    partUuid: device.partition?.uuid ?? null,
    hint: hintOf(device, partitionMap),
  };
};

/**
 * Where root and /boot are, as the system's own GRUB tools must be told on the workbench, which has
 * no devices. Null when that cannot be said in GRUB's words: an unknown file system, an encrypted
 * /boot, no UUID.
 */
export const grubPlaces = (subject: Subject): GrubPlaces | null => {
  const { devices } = subject;
  if (devices === null) return null;
  const subvolume = devices.root.fsType === 'btrfs' ? devices.subvolume : null;
  const top = subvolume === null || subvolume === '' ? '' : `/${subvolume.replace(/^\/+/, '')}`;
  const bootOn = bootDevice(subject, devices);
  const separate = !sameDevice(bootOn, devices.root);
  const boot = placeOf(devices, bootOn, '/dev/boot-device', separate ? '' : top);
  if (boot === null) return null;
  if (!separate) {
    const root = { ...boot, device: boot.device.replace('/dev/boot-device', '/dev/root-device') };
    return { root, boot: root };
  }
  const root = rootPlace(devices, top);
  return root === null ? null : { root, boot };
};

/** GRUB never reads the root when /boot is elsewhere: what it cannot open may be left out. */
const rootPlace = (devices: SubjectDevices, top: string): GrubPlace | null => {
  const whole = placeOf(devices, devices.root, '/dev/root-device', top);
  const { root } = devices;
  if (whole !== null || root.uuid === null) return whole;
  const mapped = root.aliases.find((alias) => alias.startsWith('/dev/mapper/'));
  return {
    device: mapped ?? '/dev/root-device',
    ...{ fsModule: 'ext2', uuid: root.uuid, partUuid: null, partitionMap: '' },
    ...{ abstraction: root.kind === 'lvm' ? ['lvm'] : [], hint: '', top },
  };
};

/** Where `/boot/grub` is in the file system that holds it. */
export const grubDirectoryIn = ({ root, boot }: GrubPlaces, name: 'grub' | 'grub2'): string =>
  boot === root ? `${root.top}/boot/${name}` : `${boot.top}/${name}`;
