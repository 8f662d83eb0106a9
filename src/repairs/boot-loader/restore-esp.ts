import { espsOf } from '../../diagnosis/boot-loader/esp.ts';
import { parseFatBootSector } from '../../filesystems/fat-boot-sector.ts';
import { planned, refused, together } from '../plan.ts';
import type { Repair } from '../repair.ts';

/** mkfs.fat, Windows and firmware put the copy there; the first sector, which would say, is gone. */
const usualBackupSector = 6;

/** Sector sizes that FAT knows; the copy is counted in sectors of the file system. */
const sectorSizes = [512, 1024, 2048, 4096] as const;

export const restoreEsp: Repair = {
  id: 'boot-loader.restore-esp',
  stage: 'file-system',
  title: 'Restore the first sector of the EFI system partition from its copy',
  why: 'The file system in the partition begins with nothing that can be read.',
  risk: 'none: FAT32 keeps a copy of its first sector for this case',
  proof: 'vm',
  plan: async ({ host, devices, ...subject }, findings) => {
    const meant = new Set(findings.map((finding) => finding.subject));
    const esps = (await espsOf({ host, devices, ...subject })).filter(({ device }) =>
      meant.has(device.path ?? device.name),
    );
    const plans = await Promise.all(
      esps.map(async ({ device }) => {
        const node = device.path ?? '';
        for (const size of sectorSizes) {
          const copy = await host.files.readAt(node, usualBackupSector * size, 512);
          const shape = parseFatBootSector(copy);
          if (shape?.bits !== 32 || shape.sectorBytes !== size) continue;
          if (shape.backupSector !== usualBackupSector) continue;
          return planned([
            {
              kind: 'write-bytes',
              device: node,
              offsetBytes: 0,
              bytes: copy,
              what: `first sector of the EFI system partition ${node}`,
            },
          ]);
        }
        return refused(
          `The file system in ${node} has no copy of its first sector.`,
          'Make it anew: mkfs.vfat, then grub-install or bootctl install in rescuekit rescue.',
        );
      }),
    );
    return together(plans);
  },
};
