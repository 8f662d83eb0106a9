import type { BootStage } from '../../proof.ts';
import { type Before, because, lastWith } from './before.ts';
import { emergencyCause, troubleLine } from './emergency-cause.ts';

export type FailureMark = {
  readonly stage: BootStage;
  readonly pattern: RegExp;
  /** In words; null when the line is none after all. */
  readonly cause: (match: RegExpExecArray, before: Before) => string | null;
  /**
   * Seconds without anything new on the console until it is certain: nothing, where no later
   * success can overtake it; long, where the machine may still help itself.
   */
  readonly silence: number;
};

/** Without a graphics adapter GRUB says this and goes on. */
const harmless = /no suitable video mode|Booting in blind mode/;

/** GRUB's last complaint that has a reason in it: that no kernel is loaded follows from another. */
export const grubError = (before: Before): string | null => {
  const errors = before.filter((line) => line.startsWith('error: ') && !harmless.test(line));
  const reason = errors.findLast((line) => !line.includes('you need to load')) ?? errors.at(-1);
  return reason?.slice('error: '.length) ?? null;
};

const grubPromptCause = (_: RegExpExecArray, before: Before): string => {
  const error = grubError(before);
  return error === null
    ? 'GRUB found no configuration (grub.cfg) and opened its prompt.'
    : `GRUB cannot reach its own files and opened its prompt${because(error)}.`;
};

const uefiReasons: Readonly<Record<string, string>> = {
  'Not Found': 'there is no boot loader at EFI/BOOT/BOOTX64.EFI, or it is no EFI program',
  'Access Denied': 'Secure Boot refuses it, because it is not signed with a key that is enrolled',
  'Security Violation':
    'Secure Boot refuses it, because it is not signed with a key that is enrolled',
  Unsupported: 'it is no EFI program for this machine',
  'Load Error': 'it is damaged',
};

/** shim says this of the boot loader that it is to start. */
const shimFailure = /^Failed to open (\S+\.efi) - (.*)$/i;

const uefiCause = (before: Before): string => {
  const loader = lastWith(before, shimFailure);
  if (loader !== null) {
    return `The EFI program shim was started and cannot open the boot loader ${loader}.`;
  }
  // The shell is part of the firmware, and where Secure Boot is on it is refused as well.
  const tries = before.filter((line) => !line.includes('EFI Internal Shell'));
  const status = lastWith(tries, /^BdsDxe: failed to (?:load|start) Boot\w+ .*: ([A-Z][\w ]+)$/);
  const reason = status === null ? undefined : (uefiReasons[status] ?? status);
  return `The firmware can start no boot loader from the disk${because(reason ?? null)}.`;
};

/** What the kernel's reason for a panic means, by its beginning. */
const panicReasons: readonly (readonly [RegExp, string])[] = [
  [/^VFS: Unable to mount root fs/, 'The kernel cannot mount the root file system'],
  [/^No working init found/, 'The kernel found no init that it can start'],
  [/^Attempted to kill (?:init|the idle task)/, 'The first process ended'],
  [/^Requested init .* failed/, 'The kernel cannot start the init that it was told'],
];

const initramfsDamage = /Initramfs unpacking failed: (.*)/;

const panicCause = (reason: string, before: Before): string => {
  const words = panicReasons.find(([pattern]) => pattern.test(reason))?.[1];
  const damage = lastWith(before, initramfsDamage);
  const missing = lastWith(before, /(error while loading shared libraries: .*)/);
  const refused = lastWith(before, /(run-init: .*|Failed to execute \/\S+ \(error -\d+\))/);
  const why =
    damage === null
      ? (missing ?? refused ?? grubError(before))
      : `its initramfs is damaged (${damage})`;
  return `${words ?? 'The kernel panicked'} (${reason})${because(why)}.`;
};

/** What initramfs-tools says before it gives up, the most telling first. */
const initramfsReasons: readonly RegExp[] = [
  /^(?:ALERT! +)(.*? does not exist)/,
  /(The root filesystem on \S+ requires a manual fsck)/,
  /^(No init found.*|run-init: .*)/,
  /(Target filesystem doesn't have requested \S+)/,
  /(Failed to mount \S+ as root file system)/,
  /^(mount: mounting \S+ on \S+ failed: .*)/,
  /(No root device specified.*)/,
];

const initramfsCause = (before: Before): string => {
  const reasons = initramfsReasons.map((pattern) => lastWith(before, pattern));
  const reason = reasons.find((text) => text !== null) ?? null;
  return `The initramfs gave up and opened its shell${because(reason)}.`;
};

const grubFile = (_: RegExpExecArray, before: Before): string =>
  `GRUB cannot load what its menu entry names${because(grubError(before))}.`;

const grubCoreCause = (): string =>
  'GRUB’s first sector was started, but its core image behind it is damaged or gone.';

/** The loader was started and came back to the firmware, or the firmware never found one. */
const setupCause = (_: RegExpExecArray, before: Before): string => {
  const complaint = lastWith(
    before,
    /^(No loader found.*|Error (?:loading|opening|executing) .*)$/,
  );
  const failed = before.some((line) => /^BdsDxe: failed to (?:load|start)/.test(line));
  if (complaint === null && failed) return uefiCause(before);
  return `The boot loader gave up and the firmware opened its setup${because(complaint)}.`;
};

/** Lines by which a boot is known to have failed. */
export const lineMarks: readonly FailureMark[] = [
  {
    stage: 'firmware',
    pattern: /^No bootable device\.$/,
    cause: (_, before) =>
      before.some((line) => /not a bootable disk/.test(line))
        ? 'The firmware found no bootable disk: the first sector has no boot signature (55 AA).'
        : 'The firmware found no bootable disk.',
    silence: 0.5,
  },
  {
    stage: 'firmware',
    pattern: /^BdsDxe: No bootable option or device was found/,
    cause: (_, before) => uefiCause(before),
    silence: 1,
  },
  {
    stage: 'firmware',
    pattern: /^(?:Select Language|Device Manager|Boot Maintenance Manager)\b/,
    cause: setupCause,
    silence: 3,
  },
  {
    stage: 'boot-loader',
    pattern: /^No loader found\. Configuration files in .* are needed/,
    cause: () => 'systemd-boot found no entries (loader/entries/*.conf) to start.',
    silence: 1,
  },
  {
    stage: 'boot-loader',
    pattern: /^GRUB (?:(?:Geom|Read|Hard Disk|Floppy) ?)?Error$/,
    cause: () => 'GRUB cannot read the disk beyond its first sector.',
    silence: 0.5,
  },
  {
    stage: 'boot-loader',
    pattern: /^(Missing operating system|Operating system not found|.*not a bootable disk).*$/i,
    cause: (match) => `The boot code in the first sector gave up: ${match[1]}.`,
    silence: 10,
  },
  {
    stage: 'boot-loader',
    // GRUB waits for ten seconds and tries its fallback.
    pattern: /^error: you need to load the kernel first/,
    cause: grubFile,
    silence: 15,
  },
  {
    stage: 'boot-loader',
    // Another ten seconds, and then it waits for ever in its menu.
    pattern: /^Failed to boot both default and fallback entries/,
    cause: grubFile,
    silence: 2,
  },
  {
    stage: 'kernel',
    pattern: /^(?:\[ *\d+\.\d{6}\]\s*)?Kernel panic - not syncing: (.*)$/,
    cause: (match, before) => panicCause(match[1] ?? '', before),
    silence: 0.5,
  },
  {
    stage: 'root-mounted',
    pattern: /^You are in (?:emergency|rescue) mode/,
    cause: emergencyCause,
    silence: 1,
  },
  {
    stage: 'root-mounted',
    // Its shell says so itself a moment later, unless it cannot be started.
    pattern: /Reached target (?:emergency\.target|rescue\.target|Emergency Mode|Rescue Mode)/,
    cause: emergencyCause,
    silence: 15,
  },
  {
    stage: 'root-mounted',
    pattern: /^Cannot open access to console, the root account is locked/,
    cause: emergencyCause,
    silence: 0.5,
  },
  {
    stage: 'initramfs',
    pattern:
      /^(?:Entering emergency mode\. Exit the shell|Generating "\/run\/initramfs\/rdsosreport)/,
    cause: (_, before) =>
      `The initramfs gave up and opened its shell${because(dracutReason(before))}.`,
    silence: 1,
  },
];

const dracutReason = (before: Before): string | null =>
  lastWith(before, /(?:dracut-initqueue\[\d+\]: Warning: |Warning: )(\S* ?does not exist)/) ??
  lastWith(before, troubleLine);

/** What stands in the last line, with nothing after it, when a boot has failed. */
export const promptMarks: readonly FailureMark[] = [
  {
    stage: 'boot-loader',
    // The first sector calls the core image, which is empty, and the processor comes round again.
    pattern: /^GRUB(?: GRUB)+$/,
    cause: grubCoreCause,
    silence: 5,
  },
  { stage: 'boot-loader', pattern: /^GRUB(?: loading\.*)?$/, cause: grubCoreCause, silence: 45 },
  {
    stage: 'root-mounted',
    pattern: /^(?:#|(?:sh|bash)-[\d.]+[#$])$/,
    cause: (_, before) =>
      `A shell was started in place of the system’s init${because(before.find((line) => line.startsWith('run-init: ')) ?? null)}.`,
    silence: 3,
  },
  {
    stage: 'firmware',
    pattern: /^Shell>$/,
    cause: (_, before) => uefiCause(before),
    silence: 1,
  },
  {
    stage: 'boot-loader',
    pattern: /^grub rescue>$/,
    cause: grubPromptCause,
    silence: 1,
  },
  {
    stage: 'boot-loader',
    pattern: /^grub>$/,
    cause: grubPromptCause,
    silence: 1,
  },
  {
    stage: 'boot-loader',
    pattern: /^Enter passphrase for (?:hd|lvm|md|luks|cryptouuid).*:$/,
    cause: () => 'GRUB asks for the passphrase of the encrypted disk and cannot go on without.',
    silence: 3,
  },
  {
    stage: 'kernel',
    // On systems whose init is busybox this is the login, so the trouble before it counts.
    pattern: /^Please press Enter to activate this console\.?$/,
    cause: (_, before) => {
      const reason = lastWith(before, /(Failed to execute \/init.*)/);
      return reason === null ? null : `The initramfs has no init that works${because(reason)}.`;
    },
    silence: 3,
  },
  {
    stage: 'initramfs',
    pattern: /^\(initramfs\)$/,
    cause: (_, before) => initramfsCause(before),
    silence: 1,
  },
  {
    stage: 'initramfs',
    pattern: /^(?:dracut|emergency|rescue):\/(?:root)?#$/,
    cause: (_, before) =>
      `The initramfs gave up and opened its shell${because(dracutReason(before))}.`,
    silence: 1,
  },
  {
    stage: 'root-mounted',
    pattern:
      /^(?:Give root password for (?:maintenance|system maintenance)|Press Enter for maintenance)|^\(or press Control-D to continue\):$|^\(or type Control-D to continue\):$/,
    cause: emergencyCause,
    silence: 1,
  },
  {
    stage: 'initramfs',
    pattern: /^(?:.* )?(?:Please (?:enter|unlock)|Enter passphrase for) (.*?):?$/i,
    cause: (match) => `It asks for a passphrase and cannot go on without: ${match[1] ?? ''}.`,
    silence: 5,
  },
];
