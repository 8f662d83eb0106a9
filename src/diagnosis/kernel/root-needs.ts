import { type Device, flattenDevice } from '../../devices/device.ts';
import { sameDevice } from '../../system-image/target-devices.ts';
import type { SubjectDevices } from '../subject.ts';
import type { DiskFamily } from './machine-bus.ts';

/** Something without which the initramfs cannot reach the root. */
export type RootNeed = {
  /** In words: `the xfs driver`, `the tools of LVM`. */
  readonly what: string;
  /** Any of these modules will do, built in or in the initramfs; empty for a program. */
  readonly modules: readonly string[];
  /** Any of these programs will do; empty for a module. */
  readonly programs: readonly string[];
};

const driver = (what: string, ...modules: readonly string[]): RootNeed => ({
  what: `the ${what} driver`,
  modules,
  programs: [],
});

const tool = (what: string, ...programs: readonly string[]): RootNeed => ({
  what,
  modules: [],
  programs,
});

const fileSystems: Readonly<Record<string, readonly string[]>> = {
  // ext4 mounts its older forms, too.
  ext2: ['ext4', 'ext2'],
  ext3: ['ext4', 'ext3'],
  ext4: ['ext4'],
  xfs: ['xfs'],
  btrfs: ['btrfs'],
  f2fs: ['f2fs'],
  jfs: ['jfs'],
};

const raidModules: Readonly<Record<string, readonly string[]>> = {
  raid0: ['raid0'],
  raid1: ['raid1'],
  raid4: ['raid456'],
  raid5: ['raid456'],
  raid6: ['raid456'],
  raid10: ['raid10'],
  linear: ['linear', 'md_linear'],
};

const layerNeeds = (device: Device): readonly RootNeed[] => {
  switch (device.kind) {
    case 'lvm':
      return [driver('device-mapper', 'dm_mod'), tool('the tools of LVM', 'lvm')];
    case 'luks':
      return [
        driver('device-mapper', 'dm_mod'),
        driver('dm-crypt', 'dm_crypt'),
        tool('cryptsetup', 'cryptsetup', 'systemd-cryptsetup'),
      ];
    case 'raid': {
      const modules = raidModules[device.stack?.type ?? ''];
      return [
        ...(modules === undefined ? [] : [driver(device.stack?.type ?? 'RAID', ...modules)]),
        tool('mdadm', 'mdadm'),
      ];
    }
    default:
      return [];
  }
};

/** The devices from a disk up to the root, each that has the root above it. */
const below = ({ disks, root }: SubjectDevices): readonly Device[] =>
  disks
    .flatMap(flattenDevice)
    .filter((device) => flattenDevice(device).some((above) => sameDevice(above, root)));

const key = ({ what }: RootNeed): string => what;

/**
 * What the root needs before it can be mounted, as far as it is certain: the driver of its file
 * system and the layers that it stands on. The driver of the disk's bus is not among them: the bus
 * of the next boot is not known here.
 */
export const rootNeeds = (devices: SubjectDevices): readonly RootNeed[] => {
  const modules = fileSystems[devices.root.fsType ?? ''];
  const needs = [
    ...(modules === undefined ? [] : [driver(devices.root.fsType ?? '', ...modules)]),
    ...below(devices).flatMap(layerNeeds),
  ];
  return [...new Map(needs.map((need) => [key(need), need])).values()];
};

/** Each list: any of these modules will do (kernel: drivers/block, nvme, scsi). */
const busModules: Readonly<Record<DiskFamily, readonly (readonly string[])[]>> = {
  vd: [['virtio_blk'], ['virtio_pci', 'virtio_mmio']],
  nvme: [['nvme']],
  xvd: [['xen_blkfront']],
  sd: [['sd_mod']],
  mmcblk: [['mmc_block']],
};

/**
 * Drivers for disks that are called so. For `sd` the driver of the adapter is left out: there are
 * hundreds (ahci, virtio_scsi, hv_storvsc, vmw_pvscsi, megaraid_sas …), and the name tells none.
 */
export const busNeeds = (family: DiskFamily): readonly RootNeed[] =>
  busModules[family].map((modules) => driver(modules[0] ?? '', ...modules));

/** Disks of mainframes and others without a name of their own above. */
const rareDisks = [
  ...['dasd_mod', 'dasd_eckd_mod', 'dasd_fba_mod', 'nd_pmem', 'mtip32xx', 'ide_disk', 'ide_gd_mod'],
  ...['cciss', 'nbd', 'rbd', 'aoe', 'ps3disk', 'sunvdc'],
];

/** Without any of these the kernel shows no disk at all, whatever it is attached by. */
export const anyDisk: RootNeed = {
  what: 'every driver for disks',
  modules: [...Object.values(busModules).flatMap(([first = []]) => first), ...rareDisks],
  programs: [],
};
