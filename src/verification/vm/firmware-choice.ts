import { coreBlocks } from '../../boot-code/grub-core.ts';
import { readPartitionTable, type TablePartition } from '../../devices/partition-table.ts';
import type { Host } from '../../host/host.ts';
import type { Firmware } from '../proof.ts';
import { efiProgramsOn, enteredProgram, isLoader } from './efi-programs.ts';
import type { EnteredProgram } from './uefi-variables.ts';
import type { VmDisk, VmRequest } from './vm-request.ts';

/** Type GUIDs of the UEFI specification and of GRUB. */
const biosBootType = '21686148-6449-6e6f-744e-656564454649';
const espTypes: ReadonlySet<string> = new Set(['c12a7328-f81f-11d2-ba4b-00a0c93ec93b', '0xef']);

/** Up to here reaches boot code in a first sector; the partition table of an MBR follows. */
const bootCodeBytes = 440;

/** What firmware looks at on a disk. */
export type DiskStart = {
  readonly firstSector: Buffer;
  readonly partitions: readonly TablePartition[];
  /** First sectors of its BIOS boot partitions, where GRUB's core image begins. */
  readonly coreSectors: readonly Buffer[];
  /** EFI programs on its EFI system partition. */
  readonly efiPrograms: readonly string[];
};

const isEsp = ({ type }: TablePartition): boolean => espTypes.has(type);

const hasBootCode = ({ firstSector }: DiskStart): boolean =>
  firstSector.subarray(0, bootCodeBytes).some((byte) => byte !== 0);

/**
 * Whether a BIOS is to start this disk. On GPT the first sector may hold a stub of the partitioning
 * tool, so there GRUB's own mark counts, or its core image in the partition that is meant for it;
 * that partition alone is often made and never filled.
 */
const callsForBios = (disk: DiskStart): boolean => {
  const isGpt = disk.partitions.some(({ type }) => !type.startsWith('0x'));
  if (!isGpt) return hasBootCode(disk);
  const grub = disk.firstSector.includes('GRUB', 0, 'latin1');
  return grub || disk.coreSectors.some((sector) => coreBlocks(sector) !== null);
};

/**
 * The firmwares that the disks are prepared for. With none a BIOS is taken, or UEFI where there is
 * an EFI system partition without a loader: the boot then shows what is missing.
 */
export const firmwaresFor = (disks: readonly DiskStart[]): readonly Firmware[] => {
  const esp = disks.some((disk) => disk.partitions.some(isEsp));
  const bios = disks.some(callsForBios);
  const uefi = disks.some(({ efiPrograms }) => efiPrograms.some(isLoader));
  if (bios || uefi) return [...(bios ? ['bios' as const] : []), ...(uefi ? ['uefi' as const] : [])];
  return esp ? ['uefi'] : ['bios'];
};

/** Reads what firmware looks at: first sector, partition table, EFI system partition. */
export const readDiskStart = async (host: Host, { path }: VmDisk): Promise<DiskStart> => {
  const read = (offset: number, length: number) => host.files.readAt(path, offset, length);
  const partitions = await readPartitionTable(host, path, 512);
  const esp = partitions.find(isEsp);
  const coreSectors = await Promise.all(
    partitions
      .filter(({ type }) => type === biosBootType)
      .map(({ startBytes }) => read(startBytes, 512)),
  );
  const efiPrograms =
    esp === undefined
      ? []
      : await efiProgramsOn((offset, length) => read(esp.startBytes + offset, length));
  return { firstSector: await read(0, 512), coreSectors, partitions, efiPrograms };
};

/** What the machine's own firmware has entered for these disks, where they need that. */
export const enteredOn = (disks: readonly DiskStart[]): EnteredProgram | null => {
  const path = enteredProgram(disks.flatMap(({ efiPrograms }) => efiPrograms));
  const holder = disks.find(({ efiPrograms }) => path !== null && efiPrograms.includes(path));
  const esp = holder?.partitions.find(isEsp);
  if (path === null || esp === undefined || esp.uuid === null) return null;
  // The entry holds a GUID, which partitions of an MBR do not have.
  if (esp.type.startsWith('0x')) return null;
  const { number, startBytes, sizeBytes, uuid } = esp;
  const partition = { number, startSector: startBytes / 512, sectors: sizeBytes / 512, uuid };
  return { partition, path };
};

/** The firmwares to try for a request, in their order. */
export const chooseFirmwares = (
  { firmware, secureBoot }: VmRequest,
  disks: readonly DiskStart[],
): readonly Firmware[] => {
  if (secureBoot) return ['uefi'];
  if (firmware === 'both') return ['bios', 'uefi'];
  return firmware === 'auto' ? firmwaresFor(disks) : [firmware];
};
