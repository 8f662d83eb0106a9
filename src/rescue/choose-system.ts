import { basename } from 'node:path/posix';
import { type Device, flattenDevice, shortName } from '../devices/device.ts';
import { plainText } from '../host/plain-text.ts';
import { RescueError, usageError } from '../host/rescue-error.ts';
import type { AttachedTarget } from './attach.ts';
import { closedError } from './closed-layers.ts';
import type { FoundSystem, Survey } from './survey.ts';
import { emptyTarget } from './target.ts';

/** Without what is another the next time: the number of a loop device, the id of a session. */
const lastingName = (name: string): string =>
  name.replace(/^loop\d+(?=p\d)/, '').replace(/^rescuekit-[0-9a-f]{4}-(?:loop\d+(?=p\d))?/, '');

/**
 * How a person names one of several systems: `vda3`, `vda3:@`. Of an image only the partition, `p3`:
 * its loop device is another one the next time.
 */
export const systemName = (system: FoundSystem): string => {
  const { place, hookRoot } = system;
  if (hookRoot !== undefined) return basename(hookRoot);
  if (place === null) return 'directory';
  const inside = place.subvolume ?? system.deployment;
  const device = lastingName(shortName(place.device));
  return inside === '' ? device : `${device}:${inside}`;
};

/** The name as it is listed, or with the loop device that it has now. */
const isNamed = (system: FoundSystem, wanted: string): boolean =>
  systemName(system) === lastingName(wanted);

/** One line about a system: name, distribution and host name. */
export const systemTitle = (system: FoundSystem): string => {
  const { os, hostname } = system.facts;
  return `${plainText(os.prettyName)}${hostname === null ? '' : ` "${plainText(hostname)}"`}`;
};

const encryptedTypes = new Set(['crypto_LUKS', 'BitLocker']);
const layerTypes: Readonly<Record<string, string>> = {
  LVM2_member: 'an LVM physical volume',
  linux_raid_member: 'a RAID member',
  zfs_member: 'a ZFS pool member',
};

const contents = (named: Device): readonly Device[] =>
  flattenDevice(named).filter((device) => device.fsType !== null);

const noSystem = (attached: AttachedTarget, survey: Survey): RescueError => {
  const { named, target } = attached;
  const inside = contents(named);
  // What was opened is closed no longer: then there is none inside of it either.
  const shut = inside.filter(({ children }) => children.length === 0);
  const encrypted = shut.find((device) => encryptedTypes.has(device.fsType ?? ''));
  const layer = shut.find((device) => (device.fsType ?? '') in layerTypes);
  const [problem] = survey.problems;
  const { closed } = attached;
  const openable = closed.find(({ option }) => option !== null);
  if (openable !== undefined) return closedError(openable);
  if (inside.length === 0 && named.partitionTable === null) return emptyTarget(target.name);
  if (problem !== undefined) return unreadable(target.name, problem);
  if (closed[0] !== undefined) return closedError(closed[0]);
  if (encrypted !== undefined) return encryptedTarget(encrypted);
  if (layer !== undefined) return closedLayer(layer);
  return new RescueError({
    code: 'NO_SYSTEM',
    message: `No Linux system was found on ${target.name}.`,
    hint: `On it: ${inside.map((device) => `${shortName(device)} ${plainText(device.fsType ?? '')}`).join(', ') || 'partitions without a file system'}.`,
  });
};

const unreadable = (name: string, problem: Survey['problems'][number]): RescueError =>
  new RescueError({
    code: 'NO_SYSTEM',
    message: `No Linux system was found on ${name}; ${problem.device} could not be read: ${problem.reason}`,
    hint: `Check it: rescuekit check ${name}`,
  });

const encryptedTarget = (device: Device): RescueError =>
  new RescueError({
    code: 'ENCRYPTED',
    message: `${device.path ?? device.name} is encrypted (${plainText(device.fsType ?? '')}), and no system was found outside of it.`,
    hint: `Open it and name the open device: cryptsetup open ${device.path ?? device.name} NAME, then rescuekit inspect /dev/mapper/NAME`,
  });

const closedLayer = (device: Device): RescueError =>
  new RescueError({
    code: 'CLOSED_LAYER',
    message: `${device.path ?? device.name} is ${layerTypes[device.fsType ?? '']}, and no system was found outside of it.`,
    hint: 'Activate it (vgchange, mdadm, zpool import) and name the active device.',
  });

/** @throws RescueError `EMPTY`, `ENCRYPTED`, `CLOSED_LAYER`, `NO_SYSTEM` (1) without any system. */
export const requireSystems = (attached: AttachedTarget, survey: Survey): void => {
  if (survey.systems.length === 0) throw noSystem(attached, survey);
};

/**
 * The one system to work on.
 *
 * @param wanted name as `systemName` gives it (`--system`), or null.
 * @throws RescueError `EMPTY`, `ENCRYPTED`, `CLOSED_LAYER`, `NO_SYSTEM` (1) when there is none;
 *   usage error (2) when there are several and none was named.
 */
export const chooseSystem = (
  attached: AttachedTarget,
  survey: Survey,
  wanted: string | null,
): FoundSystem => {
  const [first, ...others] = survey.systems;
  if (first === undefined) throw noSystem(attached, survey);
  const names = survey.systems.map((system) => `${systemName(system)} (${systemTitle(system)})`);
  if (wanted === null) {
    if (others.length === 0) return first;
    throw usageError(
      `There are ${survey.systems.length} systems on ${attached.target.name}: ${names.join(', ')}.`,
      'Say which with --system NAME.',
    );
  }
  const chosen = survey.systems.find((system) => isNamed(system, wanted));
  if (chosen !== undefined) return chosen;
  throw usageError(
    `There is no system ${wanted} on ${attached.target.name}.`,
    `There: ${names.join(', ')}`,
  );
};
