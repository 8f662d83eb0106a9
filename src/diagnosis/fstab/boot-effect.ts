import { normalTarget } from '../../system-image/fstab.ts';
import type { FstabEntry, Init } from '../../system-image/system-facts.ts';
import type { Finding } from '../finding.ts';

/**
 * What the boot does when an entry cannot be mounted:
 * `never` tried; `stops`: emergency mode, or a maintenance shell; `goes-on` without it, and something
 * is missing then; `tolerated`: the person said that it may be missing.
 */
export type BootEffect = 'never' | 'stops' | 'goes-on' | 'tolerated';

/** How a finding about an entry is graded by what it does to the boot. */
export const severityOfEffect = (effect: BootEffect): Finding['severity'] => {
  if (effect === 'stops') return 'critical';
  return effect === 'goes-on' ? 'warning' : 'info';
};

const has = (entry: FstabEntry, ...names: readonly string[]): boolean =>
  entry.options.some((option) => names.includes(option.split('=', 1)[0] ?? ''));

/** systemd-fstab-generator(8) and systemd.mount(5): which entries local-fs.target requires. */
const withSystemd = (entry: FstabEntry): BootEffect =>
  has(entry, '_netdev', 'x-systemd.automount', 'x-systemd.wanted-by', 'x-systemd.required-by')
    ? 'goes-on'
    : 'stops';

/** Parts without which the rest of the boot has no programs or nowhere to write. */
const vital = new Set(['/usr', '/var', '/etc']);

/**
 * Scripts of sysvinit and OpenRC check all file systems at once and ask for a maintenance shell when
 * that fails, as for a device that is not there; a failing mount is only reported.
 */
const withScripts = (entry: FstabEntry, mountOnly: boolean): BootEffect =>
  vital.has(normalTarget(entry.target)) || (!mountOnly && entry.pass !== 0) ? 'stops' : 'goes-on';

/** @param mountOnly the device is there and passes its check; only mounting it fails. */
export const bootEffect = (init: Init, entry: FstabEntry, mountOnly = false): BootEffect => {
  const automount = has(entry, 'x-systemd.automount');
  if (has(entry, 'noauto') && !automount) return 'never';
  if (has(entry, 'nofail')) return 'tolerated';
  // sysinit.target only wants swap.target, and the scripts go on after a failing swapon.
  if (entry.fsType === 'swap') return 'goes-on';
  switch (init) {
    case 'systemd':
      return withSystemd(entry);
    case 'sysvinit':
    case 'openrc':
      return withScripts(entry, mountOnly);
    case 'busybox':
      return vital.has(normalTarget(entry.target)) ? 'stops' : 'goes-on';
    case 'unknown':
      return 'stops';
  }
};
