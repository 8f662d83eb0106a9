import type { BootStage } from '../../proof.ts';

type Mark = { readonly stage: BootStage; readonly pattern: RegExp };

/** What the kernel puts before its lines when `printk.time` is on, as everywhere. */
const kernelLine = /^\[ *\d+\.\d{6}\]/;

/**
 * Lines that show that a stage has begun, the latest stage first. A line that is missing means
 * nothing: `quiet` hides the kernel's, `systemd.show_status` those of the units.
 */
const marks: readonly Mark[] = [
  { stage: 'login', pattern: /^[\w.-]+ login:(?:$| \S+ \(automatic login\))/ },
  {
    stage: 'default-target',
    // Named by unit since systemd 249, by description before.
    pattern:
      /Reached target (?:multi-user\.target|graphical\.target|Multi-User System|Graphical Interface)/,
  },
  { stage: 'default-target', pattern: /systemd\[1\]: Startup finished in .*\(userspace\)/ },
  // systemd's greeting; in the initramfs it says so (dracut, mkosi).
  { stage: 'root-mounted', pattern: /^Welcome to (?!GRUB)(?!.*(?:initramfs|dracut|initrd)).*!$/i },
  { stage: 'root-mounted', pattern: /^Begin: Running \/scripts\/init-bottom/ },
  // The initramfs has cleared its own files and starts the init of the root.
  { stage: 'root-mounted', pattern: /^run-init: / },
  { stage: 'root-mounted', pattern: /(?:systemd\[1\]: Switching root|^INIT: version )/ },
  { stage: 'root-mounted', pattern: /^\s*OpenRC \d/ },
  { stage: 'initramfs', pattern: /^(?:Loading, please wait|Begin: |dracut[:[])/ },
  { stage: 'initramfs', pattern: /^Starting systemd-udevd version / },
  { stage: 'initramfs', pattern: /^Welcome to .*(?:initramfs|dracut|initrd).*!$/i },
  {
    stage: 'initramfs',
    pattern: /(?:Running in initrd|initial RAM disk)/,
  },
  { stage: 'kernel', pattern: kernelLine },
  { stage: 'kernel', pattern: /^(?:EFI stub: |Linux version |Decompressing Linux|Probing EDD)/ },
  { stage: 'boot-loader', pattern: /^(?:GRUB\b|Welcome to GRUB|Loading Linux|Booting `|error: )/ },
  { stage: 'boot-loader', pattern: /^(?:SYSLINUX|EXTLINUX|ISOLINUX|LILO|U-Boot) / },
  { stage: 'boot-loader', pattern: /^BdsDxe: starting Boot(?!.*EFI Internal Shell)/ },
  { stage: 'firmware', pattern: /^(?:SeaBIOS \(version|Booting from |BdsDxe: |UEFI firmware)/ },
];

/** The stage that a line shows to have begun; null when it tells nothing. */
export const stageOf = (line: string): BootStage | null =>
  marks.find(({ pattern }) => pattern.test(line))?.stage ?? null;

/** The kernel says this once, each time that it starts. */
export const isKernelStart = (line: string): boolean =>
  /^(?:\[ *0\.000000\] )?Linux version /.test(line);
