import type { BootStage } from '../../proof.ts';
import {
  type Before,
  because,
  dracutReason,
  emergencyCause,
  grubCoreCause,
  grubFile,
  grubPromptCause,
  initramfsCause,
  lastWith,
  panicCause,
  setupCause,
  uefiCause,
} from './failure-causes.ts';

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
  /** Healthy systems come to stand there, too: what comes behind it is not seen. */
  readonly notJudged?: true;
  /** A passphrase that is typed on the system's console gets it further. */
  readonly answerable?: true;
};

/** What is asked on a console where it is not answered. */
const unanswered = (asker: string, question: string, advice = 'Watch'): string =>
  `${asker} asks for what nobody types there (${question}). ${advice} what comes after it in a container: verify without --vm, or --proof container.`;

const giveIt = 'Open its disks with --passphrase-file, whose passphrase is typed there, or watch';

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
    // The firmware goes on to the next disk.
    silence: 5,
  },
  {
    stage: 'boot-loader',
    // shim says so in a frame and waits for a key.
    pattern: /Verification failed: \(0x1A\) Security Violation/,
    cause: () =>
      'Secure Boot: shim refuses the boot loader, because it is not signed with a key that it trusts.',
    silence: 5,
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
    // systemd before 230 welcomes to it.
    pattern: /^(?:You are in|Welcome to) (?:emergency|rescue) mode/,
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
      before.some((line) => /^run-init: |job control|Run \S*sh as init process/.test(line))
        ? `A shell was started in place of the system’s init${because(before.find((line) => line.startsWith('run-init: ')) ?? null)}.`
        : null,
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
    // Not answered: it derives the key in its own slow code, in software emulation for many minutes.
    pattern: /^(Enter passphrase for (?:hd|lvm|md|luks|cryptouuid).*):$/,
    cause: (match) => unanswered('GRUB', match[1] ?? ''),
    silence: 3,
    notJudged: true,
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
    // cryptsetup, initramfs-tools and systemd's password agent.
    pattern:
      /^(?:.* )?(Please unlock disk .*?|Please enter (?:passphrase|password) .*?|Enter passphrase for .*?):?$/i,
    cause: (match) => unanswered('The system', match[1] ?? '', giveIt),
    silence: 5,
    notJudged: true,
    answerable: true,
  },
  {
    stage: 'initramfs',
    pattern: /^(?:.* )?(Please (?:enter|unlock) .*?):?$/i,
    cause: (match) => unanswered('The system', match[1] ?? ''),
    silence: 5,
    notJudged: true,
  },
];
