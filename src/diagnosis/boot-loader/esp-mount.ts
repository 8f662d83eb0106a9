import type { Check } from '../check.ts';
import { bootEntriesOf } from '../kernel/started-kernels.ts';
import { efiDirectories } from './efi-chains.ts';
import { espsOf } from './esp.ts';

/** Is the EFI system partition mounted at each boot, so that updates of the boot loader reach it? */
export const espMountCheck: Check = {
  area: 'boot-loader',
  finds: ['boot-loader.esp-not-mounted'],
  run: async (subject) => {
    const [esp] = await espsOf(subject);
    const { facts } = subject;
    const named = facts.fstab.some(({ target }) => /^\/(?:boot|efi|boot\/efi)\/?$/.test(target));
    const entries = await bootEntriesOf(subject);
    // systemd mounts the partition by itself when its own boot loader has started it.
    const byItself = entries.some(({ loader }) => loader === 'systemd-boot');
    if (esp === undefined || named || byItself || facts.fstab.length === 0) return [];
    if ((await efiDirectories(esp)).length === 0) return [];
    const node = esp.device.path ?? esp.device.name;
    return [
      {
        id: 'boot-loader.esp-not-mounted',
        severity: 'info',
        title: `The EFI system partition ${node} is not in /etc/fstab.`,
        subject: node,
        evidence: [
          { kind: 'file', path: '/etc/fstab', line: null, text: 'has no line for /boot/efi' },
        ],
        meaning: 'The system boots; updates of the boot loader do not reach the partition.',
        repair: null,
      },
    ];
  },
};
