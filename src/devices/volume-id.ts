/** What is known about a disk from its hardware and from udev. */
export type DiskIdentity = {
  readonly serial: string | null;
  readonly model: string | null;
  readonly vendor: string | null;
  /** Links under /dev/disk that lead to the whole disk. */
  readonly links: readonly string[];
  /** Kernel name, for instance `nvme1n1`. */
  readonly name: string;
};

type Rule = (disk: DiskIdentity) => string | null;

const match = (text: string | null, pattern: RegExp): string | null =>
  (text === null ? null : pattern.exec(text)?.[1]) ?? null;

const fromLinks = (disk: DiskIdentity, pattern: RegExp): string | null =>
  disk.links.map((link) => match(link, pattern)).find((id) => id !== null) ?? null;

// AWS: "NVMe device serial numbers hold the volume ID without the hyphen" (EBS user guide).
const amazon: Rule = (disk) => {
  const id =
    match(disk.serial, /^vol-?([0-9a-f]{8}(?:[0-9a-f]{9})?)$/) ??
    fromLinks(
      disk,
      /\/nvme-Amazon_Elastic_Block_Store_vol-?([0-9a-f]{8}(?:[0-9a-f]{9})?)(?:_\d+)?$/,
    );
  return id === null ? null : `vol-${id}`;
};

// Google's udev rules name the link after the device name given when the disk was attached.
const google: Rule = (disk) =>
  fromLinks(disk, /\/google-(.+)$/) ??
  (disk.vendor === 'Google' && disk.model === 'PersistentDisk' ? disk.serial : null);

// Azure tells data disks apart by their logical unit number alone (waagent's and azure-vm-utils' rules).
const azure: Rule = (disk) => {
  const lun = fromLinks(disk, /\/azure\/(?:scsi1\/lun|data\/by-lun\/)(\d+)$/);
  return lun === null ? null : `lun-${lun}`;
};

const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
// virtio-blk serials hold 20 bytes (VIRTIO_BLK_ID_BYTES), so Nova's volume UUID is cut off there.
const uuidStart = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]';

const openstack: Rule = (disk) =>
  match(disk.serial, new RegExp(`^(${uuid}|${uuidStart})$`)) ??
  fromLinks(disk, new RegExp(`/(?:virtio-|scsi-[^/]*QEMU_HARDDISK_)(${uuid}|${uuidStart})$`));

// DigitalOcean (vendor DO) and Hetzner (HC) give the volume's name or number as SCSI serial.
const scsiVolume: Rule = (disk) =>
  fromLinks(disk, /\/scsi-0(?:DO|HC)_Volume_(.+)$/) ??
  (['DO', 'HC'].includes(disk.vendor ?? '') && disk.model === 'Volume' ? disk.serial : null);

const rules: readonly Rule[] = [amazon, google, azure, openstack, scsiVolume];

/**
 * The name of the volume as the cloud's own tools show it, or null when nothing on the machine
 * tells. Disks of old Xen instances (`xvdf`) have neither serial nor link.
 */
export const volumeId = (disk: DiskIdentity): string | null => {
  // A partition's link ends in -partN and would give the disk's id with that suffix.
  const whole = { ...disk, links: disk.links.filter((link) => !/-part\d+$/.test(link)) };
  return rules.map((rule) => rule(whole)).find((id) => id !== null) ?? null;
};
