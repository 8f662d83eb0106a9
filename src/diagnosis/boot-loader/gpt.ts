import type { Check } from '../check.ts';
import type { Evidence, Finding } from '../finding.ts';
import { type DiskLook, diskLooks, type GptDiskLook } from './disk-look.ts';

const repair = 'boot-loader.restore-gpt';

const evidence = ({ node }: DiskLook, sector: number, output: string): Evidence => ({
  kind: 'command',
  command: `read sector ${sector} of ${node}`,
  output,
});

const mbrFinding = (look: DiskLook): Finding => ({
  id: 'boot-loader.protective-mbr',
  severity: 'critical',
  title: `The first sector of ${look.node} does not say that there is a GUID partition table.`,
  subject: look.node,
  evidence: [evidence(look, 0, 'no entry of type 0xee, or no 0x55aa at its end')],
  meaning: 'Firmware and kernel see a disk without partitions: the root is not found.',
  repair,
});

const primaryFinding = (look: DiskLook, reason: string, backup: boolean): Finding => ({
  id: 'boot-loader.gpt-primary',
  severity: 'critical',
  title: `The partition table at the start of ${look.node} is damaged: ${reason}.`,
  subject: look.node,
  evidence: [
    evidence(look, 1, reason),
    ...(backup
      ? [evidence(look, look.sectors - 1, 'the copy at the end of the disk is whole')]
      : []),
  ],
  meaning:
    'GRUB reads only this copy and stops with "unknown filesystem" or "no such partition"; some firmware does not start from the disk either.',
  repair: backup ? repair : null,
});

const backupFinding = (look: DiskLook, { backupAt }: GptDiskLook, reason: string): Finding => ({
  id: 'boot-loader.gpt-backup',
  severity: 'warning',
  title: `The copy of the partition table at the end of ${look.node} is damaged: ${reason}.`,
  subject: look.node,
  evidence: [evidence(look, backupAt, reason)],
  meaning:
    'The system boots. When the table at the start of the disk is lost too, the partitions are lost.',
  repair,
});

const findingsOf = (look: DiskLook): readonly Finding[] => {
  const { gpt } = look;
  if (gpt === null) return [];
  const { primary, backup, mbr } = gpt;
  return [
    ...(mbr === 'missing' ? [mbrFinding(look)] : []),
    ...(primary.kind === 'damaged'
      ? [primaryFinding(look, primary.reason, backup.kind === 'valid')]
      : []),
    ...(primary.kind === 'valid' && backup.kind === 'damaged'
      ? [backupFinding(look, gpt, backup.reason)]
      : []),
  ];
};

/** Are both copies of the GUID partition table whole? */
export const gptCheck: Check = {
  area: 'boot-loader',
  finds: ['boot-loader.protective-mbr', 'boot-loader.gpt-primary', 'boot-loader.gpt-backup'],
  run: async (subject) => (await diskLooks(subject)).flatMap(findingsOf),
};
