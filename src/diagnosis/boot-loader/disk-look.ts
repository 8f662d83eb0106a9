import {
  type BootCode,
  type CoreBlock,
  type CoreContents,
  coreBlocks,
  readBootCode,
  readCore,
} from '../../boot-code/grub-core.ts';
import type { Device } from '../../devices/device.ts';
import { type GptLook, protectiveMbr, type ReadDisk, readGptCopy } from '../../devices/gpt.ts';
import { kernelName } from '../../devices/kernel-name.ts';
import type { Host } from '../../host/host.ts';
import { oncePer } from '../../host/once-per.ts';
import { ownDisks } from '../own-disks.ts';
import type { Subject, SubjectDevices } from '../subject.ts';

/** GRUB's core image on a disk. */
export type CoreLook = {
  readonly blocks: readonly CoreBlock[] | null;
  /** Null when it cannot be unpacked. */
  readonly contents: CoreContents | null;
};

/** What is on a disk outside of its file systems. */
export type DiskLook = {
  readonly disk: Device;
  /** Node of the disk here. */
  readonly node: string;
  readonly sectorBytes: number;
  readonly sectors: number;
  readonly firstSector: Buffer;
  readonly bootCode: BootCode;
  /** Null when the first sector names no core image. */
  readonly core: CoreLook | null;
  /** Null when neither the disk nor the tools say that it has a GUID partition table. */
  readonly gpt: GptDiskLook | null;
};

export type GptDiskLook = {
  readonly mbr: 'protective' | 'missing';
  readonly primary: GptLook;
  /** Where the primary says that the other one is, else the last sector. */
  readonly backup: GptLook;
  readonly backupAt: number;
};

/** GRUB counts in sectors of 512 bytes, whatever the disk's are. */
const grubSector = 512;

/** Sectors of this size until the kernel says otherwise. */
const usualSector = 512;

const readerOf =
  (host: Host, node: string): ReadDisk =>
  (offset, length) =>
    host.files.readAt(node, offset, length);

const lookAtCore = async (read: ReadDisk, firstAt: number): Promise<CoreLook> => {
  const first = await read(firstAt * grubSector, grubSector);
  const blocks = coreBlocks(first);
  if (blocks === null) return { blocks, contents: null };
  const rest = await Promise.all(
    blocks.map(({ sector, count }) => read(sector * grubSector, count * grubSector)),
  );
  return { blocks, contents: readCore(Buffer.concat([first, ...rest])) };
};

const lookAtGpt = async (
  read: ReadDisk,
  firstSector: Buffer,
  sectorBytes: number,
  sectors: number,
): Promise<GptDiskLook> => {
  const last = sectors - 1;
  const primary = await readGptCopy(read, sectorBytes, 1);
  const named = primary.kind === 'valid' ? primary.copy.alternate : last;
  const backupAt = named > 1 && named <= last ? named : last;
  const backup = await readGptCopy(read, sectorBytes, backupAt);
  return { mbr: protectiveMbr(firstSector), primary, backup, backupAt };
};

const look = async (host: Host, disk: Device, node: string): Promise<DiskLook> => {
  const read = readerOf(host, node);
  const said = await host.files.readText(`/sys/block/${kernelName(node)}/queue/logical_block_size`);
  const sectorBytes = Number(said ?? usualSector) || usualSector;
  const sectors = Math.floor(disk.sizeBytes / sectorBytes);
  const firstSector = await read(0, usualSector);
  const bootCode = readBootCode(firstSector);
  const [core, gpt] = await Promise.all([
    bootCode.kind === 'grub' ? lookAtCore(read, bootCode.coreSector) : null,
    lookAtGpt(read, firstSector, sectorBytes, sectors),
  ]);
  const isGpt = disk.partitionTable === 'gpt' || gpt.primary.kind === 'valid';
  return {
    ...{ disk, node, sectorBytes, sectors, firstSector, bootCode, core },
    // An old backup at the end of a disk that has another table now is no table.
    gpt: isGpt ? gpt : null,
  };
};

type OnDevices = { readonly subject: Subject; readonly devices: SubjectDevices };

const lookAtAll = oncePer(
  ({ devices }: OnDevices) => devices,
  ({ subject, devices }): Promise<readonly DiskLook[]> =>
    Promise.all(
      ownDisks(subject, devices).flatMap((disk) =>
        disk.path === null ? [] : [look(subject.host, disk, disk.path)],
      ),
    ),
);

/** The disks of a system outside of their file systems, the root's first; read once. */
export const diskLooks = async (subject: Subject): Promise<readonly DiskLook[]> => {
  const { devices } = subject;
  return devices === null ? [] : lookAtAll({ subject, devices });
};
