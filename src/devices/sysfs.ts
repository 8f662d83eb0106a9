import type { Files } from '../host/files.ts';
import type { GraphNode } from './device-graph.ts';

/** What the kernel tells of a device beyond lsblk. */
export type SysfsFacts = {
  readonly partitionNumber: number | null;
  readonly startBytes: number | null;
  readonly backingFile: string | null;
  readonly sectorBytes: number;
  readonly serial: string | null;
  readonly model: string | null;
  readonly vendor: string | null;
  /** Name and UUID of a device-mapper device. */
  readonly mapper: { readonly name: string; readonly uuid: string | null } | null;
};

const none: SysfsFacts = {
  partitionNumber: null,
  startBytes: null,
  backingFile: null,
  sectorBytes: 512,
  serial: null,
  model: null,
  vendor: null,
  mapper: null,
};

/** Attributes of some drivers cannot be read (EIO, EINVAL, EACCES): then they are not known. */
const attribute = async (files: Files, path: string): Promise<string | null> => {
  try {
    return (await files.readText(path))?.trim() || null;
  } catch {
    return null;
  }
};

const first = async (files: Files, paths: readonly string[]): Promise<string | null> => {
  for (const path of paths) {
    const value = await attribute(files, path);
    if (value !== null) return value;
  }
  return null;
};

/** SCSI's unit serial number page: four bytes of header, then text (SPC, VPD page 80h). */
const scsiSerial = async (files: Files, directory: string): Promise<string | null> => {
  const page = await attribute(files, `${directory}/device/vpd_pg80`);
  return page?.slice(4).replaceAll('\0', '').trim() || null;
};

/** udev's database is lsblk's source; without it the driver's own attributes say the same. */
const hardware = async (files: Files, directory: string, node: GraphNode) => ({
  serial:
    node.facts.serial ??
    (await first(files, [`${directory}/serial`, `${directory}/device/serial`])) ??
    (await scsiSerial(files, directory)),
  model: node.facts.model ?? (await attribute(files, `${directory}/device/model`)),
  vendor: node.facts.vendor ?? (await attribute(files, `${directory}/device/vendor`)),
});

const readMapper = async (files: Files, directory: string): Promise<SysfsFacts['mapper']> => {
  const name = await attribute(files, `${directory}/dm/name`);
  return name === null ? null : { name, uuid: await attribute(files, `${directory}/dm/uuid`) };
};

/** Reads /sys/class/block/NAME, only what matters for the kind of device. */
export const readSysfs = async (files: Files, node: GraphNode): Promise<SysfsFacts> => {
  // A name such as `cciss/c0d0` has its slash replaced in sysfs.
  const directory = `/sys/class/block/${node.name.replaceAll('/', '!')}`;
  if (node.kind === 'partition') {
    const [number, start] = await Promise.all([
      attribute(files, `${directory}/partition`),
      attribute(files, `${directory}/start`),
    ]);
    return {
      ...none,
      partitionNumber: number === null ? null : Number(number),
      // In units of 512 bytes, whatever the disk's sector size (Documentation/ABI, sysfs-block).
      startBytes: start === null ? null : Number(start) * 512,
    };
  }
  const sector = await attribute(files, `${directory}/queue/logical_block_size`);
  const mapper = /^dm-/.test(node.name) ? await readMapper(files, directory) : null;
  const common = { ...none, mapper, sectorBytes: Number(sector ?? 512) };
  if (node.kind === 'loop') {
    return { ...common, backingFile: await attribute(files, `${directory}/loop/backing_file`) };
  }
  if (node.kind !== 'disk' && node.kind !== 'rom') return common;
  return { ...common, ...(await hardware(files, directory, node)) };
};
