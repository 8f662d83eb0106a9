/** The lines of the boot up to now, the newest last: what came before often has the reason. */
export type Before = readonly string[];

export const lastWith = (before: Before, pattern: RegExp): string | null => {
  const line = before.findLast((text) => pattern.test(text));
  return line === undefined ? null : (pattern.exec(line)?.[1] ?? line);
};

/** Without a graphics adapter GRUB says this and goes on. */
const harmless = /no suitable video mode|Booting in blind mode/;

/** GRUB's last complaint that has a reason in it: that no kernel is loaded follows from another. */
export const grubError = (before: Before): string | null => {
  const errors = before.filter((line) => line.startsWith('error: ') && !harmless.test(line));
  const reason = errors.findLast((line) => !line.includes('you need to load')) ?? errors.at(-1);
  return reason?.slice('error: '.length) ?? null;
};

export const because = (reason: string | null): string =>
  reason === null ? '' : `: ${reason.replace(/\.$/, '')}`;

export const grubPromptCause = (_: RegExpExecArray, before: Before): string => {
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

export const uefiCause = (before: Before): string => {
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

export const panicCause = (reason: string, before: Before): string => {
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

export const initramfsCause = (before: Before): string => {
  const reasons = initramfsReasons.map((pattern) => lastWith(before, pattern));
  const reason = reasons.find((text) => text !== null) ?? null;
  return `The initramfs gave up and opened its shell${because(reason)}.`;
};

/** `[ TIME ] Timed out waiting for device X`, `[FAILED] Failed to mount X`, without the mark. */
const troubleLine = /^\[(?:FAILED| ?TIME ?)\] (.*?)\.?$/;
/** systemd cuts long lines in their middle, and with them its own colours. */
const cutColour = /(?:\d+;)+\d*(?=…)/;
const dependent = /^\[DEPEND\] Dependency failed for (?:\S+\.mount - )?(\/\S*?)\.?$/;
const localFileSystems = /^\[DEPEND\] Dependency failed for .*(?:local-fs|Local File Systems)/;

/**
 * The trouble that stopped the boot: the nearest one before the local file systems were given up,
 * because others that fail are not required by them.
 */
const emergencyReason = (before: Before): string | null => {
  const given = before.findIndex((line) => localFileSystems.test(line));
  const until = given < 0 ? before : before.slice(0, given);
  const at = until.findLastIndex((line) => troubleLine.test(line));
  const trouble = troubleLine.exec(until[at] ?? '')?.[1]?.replace(cutColour, '') ?? null;
  const needing = lastWith(until.slice(at + 1), dependent);
  return trouble === null || needing === null ? trouble : `${trouble} (${needing} needs it)`;
};

export const emergencyCause = (_: RegExpExecArray, before: Before): string => {
  const reason = emergencyReason(before) ?? lastWith(before, /(Unit default\.target not found)/);
  const rescue = before.some((line) => /You are in rescue mode|target rescue\.target/.test(line));
  const locked = before.some((line) => /root account is locked/.test(line));
  const shell = locked ? ', whose shell is closed because root has no password' : '';
  return `systemd stopped in ${rescue ? 'rescue' : 'emergency'} mode${shell}${because(reason)}.`;
};

export const grubFile = (_: RegExpExecArray, before: Before): string =>
  `GRUB cannot load what its menu entry names${because(grubError(before))}.`;

export const grubCoreCause = (): string =>
  'GRUB’s first sector was started, but its core image behind it is damaged or gone.';

/** The loader was started and came back to the firmware, or the firmware never found one. */
export const setupCause = (_: RegExpExecArray, before: Before): string => {
  const complaint = lastWith(
    before,
    /^(No loader found.*|Error (?:loading|opening|executing) .*)$/,
  );
  const failed = before.some((line) => /^BdsDxe: failed to (?:load|start)/.test(line));
  if (complaint === null && failed) return uefiCause(before);
  return `The boot loader gave up and the firmware opened its setup${because(complaint)}.`;
};

export const dracutReason = (before: Before): string | null =>
  lastWith(before, /(?:dracut-initqueue\[\d+\]: Warning: |Warning: )(\S* ?does not exist)/) ??
  lastWith(before, troubleLine);
