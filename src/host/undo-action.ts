import { z } from 'zod';

/** How one thing that was put up is taken down again, as it stands in the journal. */
export const undoActionSchema = z.discriminatedUnion('kind', [
  /**
   * Unmount `path` if the mount there still comes from `source`; null for bind mounts, whose source
   * the kernel shows as the device below, and which lie in the session's private directory.
   */
  z.object({ kind: z.literal('unmount'), path: z.string(), source: z.string().nullable() }),
  /** Detach the loop device if it still shows this file. */
  z.object({ kind: z.literal('detach-loop'), device: z.string(), backingFile: z.string() }),
  /** Take away partitions that were added to the kernel by hand (partx). */
  z.object({
    kind: z.literal('remove-partitions'),
    device: z.string(),
    numbers: z.array(z.int()).readonly(),
    /** What the device was then: the name of a loop device is soon another disk's. */
    identity: z.string().nullable(),
  }),
  /** Close the mapping that was opened under this name, whatever it is called by now. */
  z.object({ kind: z.literal('close-luks'), mapping: z.string(), device: z.string() }),
  /** Stop the array at this node if it has these members and this UUID, and what stands on it. */
  z.object({
    kind: z.literal('stop-array'),
    device: z.string(),
    uuid: z.string(),
    members: z.array(z.string()).readonly(),
  }),
  /** Begin an array again that waited for missing members, as it was found. */
  z.object({
    kind: z.literal('restore-inactive-array'),
    device: z.string(),
    members: z.array(z.string()).readonly(),
  }),
  /** Deactivate volumes of an LVM group on these devices, but for those that were there before. */
  z.object({
    kind: z.literal('deactivate-group'),
    group: z.string(),
    devices: z.array(z.string()).readonly(),
    settings: z.array(z.string()).readonly(),
    /** UUIDs of mappings. */
    before: z.array(z.string()).readonly(),
  }),
  /** Make a device writable again that was set read-only. */
  z.object({ kind: z.literal('set-writable'), device: z.string() }),
  /** Remove a directory if it is empty. */
  z.object({ kind: z.literal('remove-directory'), path: z.string() }),
  /** Unmount what is below a private directory for throwaway copies, then remove it. */
  z.object({ kind: z.literal('remove-scratch'), path: z.string() }),
  z.object({ kind: z.literal('remove-file'), path: z.string() }),
  /** Stop the container of this session and wait until its processes are gone. */
  z.object({ kind: z.literal('stop-container'), machine: z.string(), session: z.string() }),
  /** End the virtual machines of this session and wait until their processes are gone. */
  z.object({ kind: z.literal('stop-vm'), session: z.string() }),
  /** Remove the control groups that were made for the container's limits. */
  z.object({ kind: z.literal('remove-cgroups'), paths: z.array(z.string()).readonly() }),
  /** Run the person's hooks of a stage; the file says where they are and what they are told. */
  z.object({ kind: z.literal('run-hooks'), stage: z.string(), file: z.string() }),
  /** Put the kernel's list of the devices of one btrfs back as it was. */
  z.object({
    kind: z.literal('btrfs-registration'),
    fsid: z.string(),
    forget: z.array(z.string()).readonly(),
    register: z.array(z.string()).readonly(),
  }),
  /** Give a clone that was renamed on the disk its UUID back. */
  z.object({
    kind: z.literal('restore-btrfs-uuid'),
    device: z.string(),
    fsid: z.string(),
    temporary: z.string(),
    deviceUuid: z.string(),
  }),
  /** Remove a mapping that the session made, told by its device-mapper UUID. */
  z.object({ kind: z.literal('remove-mapping'), name: z.string(), uuid: z.string() }),
  /** Remove rules (and what LVM remembers) and let udev look at disks whose arrays and groups were taken down meanwhile. */
  z.object({
    kind: z.literal('udev-look-again'),
    rules: z.array(z.string()).readonly(),
    devices: z.array(z.string()).readonly(),
    /** A btrfs was on a layer: the kernel remembers it, and then refuses the older one on the disk. */
    btrfs: z.boolean(),
  }),
  /** Let the kernel read the partition tables of disks again, if they are others than it knows. */
  z.object({ kind: z.literal('reread-tables'), devices: z.array(z.string()).readonly() }),
  /** A layer is being written to its disks: that has to be finished before anything else. */
  z.object({ kind: z.literal('finish-merge'), directory: z.string(), session: z.string() }),
]);

export type UndoAction = Readonly<z.infer<typeof undoActionSchema>>;

/** What an undo action holds, in a person's words. */
export const describeUndo = (action: UndoAction): string => {
  switch (action.kind) {
    case 'unmount':
      return `mount ${action.path}${action.source === null ? '' : ` (${action.source})`}`;
    case 'detach-loop':
      return `loop device ${action.device} (${action.backingFile})`;
    case 'remove-partitions':
      return `partitions ${action.numbers.join(', ')} of ${action.device}`;
    case 'close-luks':
      return `encrypted volume ${action.device}`;
    case 'stop-array':
      return `array ${action.device}`;
    case 'restore-inactive-array':
      return `inactive array ${action.device}, stopped for its members ${action.members.join(', ')}`;
    case 'deactivate-group':
      return `volume group ${action.group}`;
    case 'set-writable':
      return `read-only setting of ${action.device}`;
    case 'remove-directory':
      return `directory ${action.path}`;
    case 'remove-scratch':
      return `scratch directory ${action.path}`;
    case 'remove-file':
      return `file ${action.path}`;
    case 'stop-container':
      return `container ${action.machine}`;
    case 'stop-vm':
      return `virtual machine of session ${action.session}`;
    case 'remove-cgroups':
      return `control groups ${action.paths.join(', ')}`;
    case 'run-hooks':
      return `hooks of ${action.stage}`;
    case 'btrfs-registration':
      return `use of the btrfs ${action.fsid}`;
    case 'restore-btrfs-uuid':
      return `UUID of the btrfs on ${action.device} (${action.fsid})`;
    case 'remove-mapping':
      return `mapping ${action.name}`;
    case 'udev-look-again':
      return `rest of ${action.devices.join(', ') || 'the disks'} from udev`;
    case 'reread-tables':
      return `partitions of ${action.devices.join(', ')} as the kernel has them`;
    case 'finish-merge':
      return `layer of session ${action.session}, half written to its disks`;
  }
};
