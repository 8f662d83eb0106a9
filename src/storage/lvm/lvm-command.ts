import type { Command } from '../../host/command.ts';

/**
 * Settings for every call: no copy of the metadata and no hints are written to the host, its filters
 * and udev's word do not hide the devices that are named, and volumes on volumes are seen.
 */
const settings = [
  'backup{backup=0 archive=0}',
  // Else a call on a group with a pool or mirror starts dmeventd, which stays; `--monitor n` would
  // start it, too, to tell it to stop.
  'activation/monitoring=0',
  'devices{hints="none" scan_lvs=1 obtain_device_list_from_udev=0 filter=["a|.*|"] global_filter=["a|.*|"]}',
];

/** What one call is limited to. */
export type LvmScope = {
  /** Kernel nodes of the physical volumes that LVM may know of. */
  readonly devices: readonly string[];
  /** Further settings, for instance `local{system_id="web-3"}`. */
  readonly settings: readonly string[];
};

const scopeWords = ({ devices, settings: more }: LvmScope): readonly string[] => [
  '--devices',
  devices.join(','),
  '--config',
  [...settings, ...more].join(' '),
];

/** One call of an LVM program that sees only the named devices and writes nothing on the host. */
export const lvmCommand = (
  program: string,
  scope: LvmScope,
  args: readonly string[],
): Pick<Command, 'program' | 'args'> => ({ program, args: [...args, ...scopeWords(scope)] });
