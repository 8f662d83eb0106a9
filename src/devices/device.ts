import { z } from 'zod';

/**
 * What a node of the device tree is. `raid`, `luks` and `lvm` are active layers of the storage
 * stack; `mapper` is any other device-mapper node.
 */
export const deviceKindSchema = z.enum([
  'disk',
  'partition',
  'loop',
  'multipath',
  'raid',
  'luks',
  'lvm',
  'mapper',
  'rom',
]);

export type DeviceKind = z.infer<typeof deviceKindSchema>;

const partitionSchema = z.object({
  number: z.int(),
  startBytes: z.int(),
  /** PARTUUID and PARTLABEL as fstab names them. */
  uuid: z.string().nullable(),
  label: z.string().nullable(),
  /** GPT type GUID, or `0x83` and the like on MBR. */
  type: z.string().nullable(),
});

/**
 * The part of the storage stack that a member belongs to, or that an active node is. Of a member
 * the array, group or file system over several devices; of a LUKS container the container itself.
 */
export const stackSchema = z.object({
  layer: z.enum(['md', 'lvm', 'luks', 'btrfs', 'multipath', 'mapper']),
  /** Name of the array, group or mapping, as its own metadata say. */
  name: z.string().nullable(),
  uuid: z.string().nullable(),
  /** Level, type or version: `raid1`, `thin`, `LUKS2`. */
  type: z.string().nullable(),
  /**
   * `active`; `inactive` and complete; `locked`; `degraded`: works with a member missing;
   * `partial`: data are missing; `stale`: what it stood on is gone; `exported`.
   */
  state: z.enum(['active', 'inactive', 'locked', 'degraded', 'partial', 'stale', 'exported']),
  /** Members that are attached, and members that it has when it is whole. */
  present: z.int().nullable(),
  expected: z.int().nullable(),
});

export type Stack = Readonly<z.infer<typeof stackSchema>>;

/** One block device with everything that stands on it. The JSON of `list` is made of these. */
export const deviceSchema = z.object({
  /** Kernel node, for instance `/dev/vdb3`. Null for a partition that the kernel does not know. */
  path: z.string().nullable(),
  /** Kernel name (`vdb3`, `dm-0`), or what it would be for an unknown partition. */
  name: z.string(),
  /** Other names under /dev that lead here, for instance `/dev/mapper/vg0-root`. */
  aliases: z.array(z.string()).readonly(),
  /** `major:minor`, null for a partition that the kernel does not know. */
  majorMinor: z.string().nullable(),
  kind: deviceKindSchema,
  sizeBytes: z.int(),
  model: z.string().nullable(),
  serial: z.string().nullable(),
  /** virtio, nvme, scsi, sata, usb, xen, loop … as far as it is known. */
  transport: z.string().nullable(),
  /** The cloud's name of the volume: `vol-0abc…` and the like. */
  volumeId: z.string().nullable(),
  readOnly: z.boolean(),
  /** File that a loop device shows. */
  backingFile: z.string().nullable(),
  /** `gpt`, `dos`, or null when there is no partition table. */
  partitionTable: z.string().nullable(),
  partition: partitionSchema.nullable(),
  /** blkid's TYPE: a file system, `swap`, `crypto_LUKS`, `LVM2_member`, `linux_raid_member`. */
  fsType: z.string().nullable(),
  label: z.string().nullable(),
  uuid: z.string().nullable(),
  /** Null for what is no part of a storage stack. */
  stack: stackSchema.nullable(),
  /** Another attached device with the very same identity: one is a copy of the other. */
  duplicateOf: z.string().nullable(),
  /** Where it is mounted in the host's namespace; `[SWAP]` for active swap. */
  mountpoints: z.array(z.string()).readonly(),
  /** Why it must not be touched, or null. */
  protected: z.object({ reason: z.string() }).nullable(),
  get children() {
    return z.array(deviceSchema).readonly();
  },
});

export type Device = Readonly<z.infer<typeof deviceSchema>>;

/** Of a node of which nothing more is known. */
export const blankDevice = {
  aliases: [],
  majorMinor: null,
  sizeBytes: 0,
  model: null,
  serial: null,
  transport: null,
  volumeId: null,
  readOnly: false,
  backingFile: null,
  partitionTable: null,
  partition: null,
  fsType: null,
  label: null,
  uuid: null,
  stack: null,
  duplicateOf: null,
  mountpoints: [],
  protected: null,
  children: [],
} as const satisfies Partial<Device>;

/** Signatures of what is a part of something larger and shows its contents only when that is open. */
export const memberTypes: ReadonlySet<string> = new Set([
  'LVM2_member',
  'linux_raid_member',
  'crypto_LUKS',
]);

const walk = (device: Device): readonly Device[] => [device, ...device.children.flatMap(walk)];

/**
 * The node itself and all above it in the stack, each once: a striped volume is reached through
 * each of its physical volumes. Members come before what stands on them.
 */
export const flattenDevice = (device: Device): readonly Device[] => [
  ...new Map(walk(device).map((one) => [one.path ?? one.name, one])).values(),
];

/**
 * The node by which a device is named to tools and people. Of device-mapper that is the name that
 * somebody chose, `/dev/mapper/vg0-root`: the kernel's `/dev/dm-3` tells nothing, and is another
 * volume the next time. Null for a partition that the kernel does not know.
 */
export const nodeOf = (device: Device): string | null =>
  device.path !== null && device.name.startsWith('dm-')
    ? (device.aliases.find((alias) => alias.startsWith('/dev/mapper/')) ?? device.path)
    : device.path;

/** `vg0-root` for a mapping, else the kernel's name. */
export const shortName = (device: Device): string => {
  const node = nodeOf(device);
  return node?.startsWith('/dev/mapper/') ? node.slice('/dev/mapper/'.length) : device.name;
};
