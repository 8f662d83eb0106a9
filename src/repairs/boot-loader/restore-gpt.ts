import type { Change } from '../../changes/change.ts';
import { type GptCopy, twinOf } from '../../devices/gpt.ts';
import {
  type DiskLook,
  diskLooks,
  type GptDiskLook,
} from '../../diagnosis/boot-loader/disk-look.ts';
import { planned, refused, together } from '../plan.ts';
import type { Repair, RepairPlan } from '../repair.ts';

const byHand = 'Look at the disk with gdisk or testdisk, on a copy of it.';

const write = ({ node }: DiskLook, offsetBytes: number, bytes: Buffer, what: string): Change => ({
  kind: 'write-bytes',
  device: node,
  offsetBytes,
  bytes,
  what,
});

/** A header fills its sector up with zeros (UEFI specification, 5.3.2). */
const wholeSector = (header: Buffer, sectorBytes: number): Buffer => {
  const sector = Buffer.alloc(sectorBytes);
  header.copy(sector);
  return sector;
};

const copyTo = (
  look: DiskLook,
  from: GptCopy,
  at: number,
  entriesAt: number,
  which: string,
): readonly Change[] => {
  const { sectorBytes } = look;
  const { header, entries } = twinOf(from, at, entriesAt);
  return [
    write(look, entriesAt * sectorBytes, entries, `list of partitions ${which}`),
    write(
      look,
      at * sectorBytes,
      wholeSector(header, sectorBytes),
      `header of the partition table ${which}`,
    ),
  ];
};

const primaryFrom = (look: DiskLook, backup: GptCopy): RepairPlan => {
  const sectors = Math.ceil(backup.entries.length / look.sectorBytes);
  return 2 + sectors > backup.firstUsable
    ? refused('The list of partitions does not fit before the first partition.', byHand)
    : planned(copyTo(look, backup, 1, 2, 'at the start of the disk'));
};

const backupFrom = (look: DiskLook, primary: GptCopy, at: number): RepairPlan => {
  const entriesAt = at - Math.ceil(primary.entries.length / look.sectorBytes);
  // On a disk that was made smaller the table itself would have to change.
  return primary.alternate !== at || entriesAt <= primary.lastUsable
    ? refused('The disk is smaller than its partition table says.', byHand)
    : planned(copyTo(look, primary, at, entriesAt, 'at the end of the disk'));
};

const entriesAt = 446;

/** One entry over the whole disk (UEFI specification, 5.2.3). */
const protectiveEntries = (sectors: number): Buffer => {
  const bytes = Buffer.alloc(512 - entriesAt);
  bytes.set([0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff]);
  bytes.writeUInt32LE(1, 8);
  bytes.writeUInt32LE(Math.min(sectors - 1, 0xffffffff), 12);
  bytes.writeUInt16LE(0xaa55, 64);
  return bytes;
};

const protectiveFor = (look: DiskLook): RepairPlan => {
  const entries = look.firstSector.subarray(entriesAt, 510);
  return entries.some((byte) => byte !== 0)
    ? refused('The first sector describes other partitions than the GUID partition table.', byHand)
    : planned([
        write(
          look,
          entriesAt,
          protectiveEntries(look.sectors),
          'protective partition in the first sector',
        ),
      ]);
};

const mend = (look: DiskLook, { mbr, primary, backup, backupAt }: GptDiskLook): RepairPlan => {
  const plans = [
    ...(primary.kind === 'damaged' && backup.kind === 'valid'
      ? [primaryFrom(look, backup.copy)]
      : []),
    ...(backup.kind === 'damaged' && primary.kind === 'valid'
      ? [backupFrom(look, primary.copy, backupAt)]
      : []),
    ...(primary.kind === 'damaged' && backup.kind === 'damaged'
      ? [refused('Both copies of the partition table are damaged.', byHand)]
      : []),
    ...(mbr === 'missing' ? [protectiveFor(look)] : []),
  ];
  return together(plans);
};

export const restoreGpt: Repair = {
  id: 'boot-loader.restore-gpt',
  stage: 'file-system',
  title: 'Restore the partition table from its other copy',
  why: 'One of the two copies of the GUID partition table is damaged, or the mark of it in the first sector is gone.',
  risk: 'none for the partitions: both copies say the same of them afterwards',
  proof: 'vm',
  plan: async (subject, findings) => {
    const meant = new Set(findings.map((finding) => finding.subject));
    const looks = (await diskLooks(subject)).filter(({ node }) => meant.has(node));
    return together(looks.flatMap((look) => (look.gpt === null ? [] : [mend(look, look.gpt)])));
  },
};
