import type { Check } from '../check.ts';
import type { Finding } from '../finding.ts';
import { lookAtBiosStart, lostToOthers, type StartFault, type StartLook } from './bios-start.ts';
import { lookAtEfiStart } from './efi-start.ts';
import { espsOf } from './esp.ts';

const starts = ({ used, faults }: StartLook): boolean =>
  used && faults.every(({ milder }) => milder !== undefined);

const graded =
  (elsewhere: boolean) =>
  ({ milder, ...fault }: StartFault): Finding => ({
    ...fault,
    severity: milder === 'info' ? 'info' : milder === true || elsewhere ? 'warning' : 'critical',
  });

/** Does the firmware get from the disk to the boot loader's menu? */
export const startCheck: Check = {
  area: 'boot-loader',
  finds: [
    'boot-loader.boot-code',
    'boot-loader.core-damaged',
    'boot-loader.core-place',
    'boot-loader.core-version',
    'boot-loader.grub-modules',
    'boot-loader.esp-damaged',
    'boot-loader.efi-programs',
    'boot-loader.efi-program',
    'boot-loader.efi-removable',
    'boot-loader.efi-config',
    'boot-loader.no-entries',
  ],
  run: async (subject) => {
    if (subject.devices === null) return [];
    const esps = await espsOf(subject);
    const efi = await lookAtEfiStart(subject);
    const bios = await lookAtBiosStart(subject, esps.length > 0, efi.used);
    // Which firmware the machine has cannot be told from its disk: one way that works is enough.
    const lost = bios.used || efi.used ? [] : await lostToOthers(subject);
    return [
      ...bios.faults.map(graded(starts(efi))),
      ...efi.faults.map(graded(starts(bios))),
      ...lost.map(graded(false)),
    ];
  },
};
