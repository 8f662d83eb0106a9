import { type Device, shortName } from '../devices/device.ts';
import { readMappings } from '../devices/mappings.ts';
import { plainText } from '../host/plain-text.ts';
import type { Step } from '../host/step.ts';
import { findLuksMapping } from '../storage/luks/close-luks.ts';
import { openVolumeOn } from '../system-image/resolve-crypttab.ts';
import { resolveContainer } from '../system-image/resolve-spec.ts';
import type { CrypttabEntry } from '../system-image/system-facts.ts';
import type { RootPlace } from './mount-plan.ts';
import type { Session } from './session.ts';
import type { FoundSystem } from './survey.ts';

/** What device-mapper takes as it is; in other names it escapes characters. */
const plainName = /^[\w#+.:=@-]{1,120}$/;

/** The step that calls an open volume what the system on the disk calls it. */
export const renameVolume = (from: string, to: string): Step => ({
  title: `Call the encrypted volume ${to}`,
  commands: [{ program: 'dmsetup', args: ['rename', from, to] }],
  why: 'An initramfs that is rebuilt inside looks for the name that crypttab gives.',
  risk: 'none',
  // It is closed by its UUID, whatever its name.
  undo: null,
});

/** Renames a device in trees. A device that is reached on several ways stays one object. */
const nameChanger = (from: string, to: string) => {
  const changed = new Map<Device, Device>();
  const change = (device: Device): Device => {
    const known = changed.get(device);
    if (known !== undefined) return known;
    const aliases = device.aliases.map((alias) => (alias === from ? to : alias));
    const now = { ...device, aliases, children: device.children.map(change) };
    changed.set(device, now);
    return now;
  };
  return change;
};

/** The system with the new name of a device wherever the old one stood. */
export const renamed = (system: FoundSystem, from: string, to: string): FoundSystem => {
  const { place } = system;
  if (place === null) return system;
  const change = nameChanger(from, to);
  return {
    ...system,
    place: {
      ...place,
      device: change(place.device),
      disk: change(place.disk),
      disks: place.disks.map(change),
    },
    mounts: system.mounts.map((mount) =>
      mount.device === from ? { ...mount, device: to } : mount,
    ),
  };
};

/** The volume that this session opened for a line of crypttab: the name it was opened under. */
const openedFor = (
  entry: CrypttabEntry,
  place: RootPlace,
  crypttab: readonly CrypttabEntry[],
  session: string,
): string | null => {
  const container = resolveContainer(entry, {
    devices: place.disks,
    rootDisk: place.disk,
    crypttab,
  });
  const volume = container.kind === 'found' ? openVolumeOn(container.device) : null;
  const name = volume === null ? null : shortName(volume);
  return name?.startsWith(`rescuekit-${session}-`) === true ? name : null;
};

/**
 * Gives each volume that the session opened the name that the system's crypttab has for it, as long
 * as nothing else on this machine is called so. Before the system is mounted: the kernel's mount
 * table keeps the name of that moment.
 *
 * @param note told when a volume keeps the session's name.
 */
export const nameVolumes = async (
  session: Session,
  system: FoundSystem,
  note: (text: string) => void,
): Promise<FoundSystem> => {
  const { place, facts } = system;
  if (place === null) return system;
  let now = system;
  for (const entry of facts.crypttab) {
    const { name } = entry;
    const openedAs = openedFor(entry, place, facts.crypttab, session.id);
    const mapping = openedAs === null ? null : await findLuksMapping(session.host, openedAs);
    if (mapping === null || mapping.name !== openedAs) continue;
    const taken = (await readMappings(session.host)).some((other) => other.name === name);
    if (taken || !plainName.test(name)) {
      const why = taken ? 'something on this machine has that name' : 'it cannot be used here';
      note(`crypttab calls ${openedAs} ${plainText(name)}; it keeps its name, because ${why}.`);
      continue;
    }
    await session.perform(renameVolume(openedAs, name));
    now = renamed(now, `/dev/mapper/${openedAs}`, `/dev/mapper/${name}`);
  }
  return now;
};
