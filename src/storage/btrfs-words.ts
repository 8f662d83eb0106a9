import { counted } from '../filesystems/check-result.ts';
import { plainText } from '../host/plain-text.ts';
import type { BtrfsMembers } from './btrfs-members.ts';
import type { LayerMode } from './layer.ts';

const nodes = (devices: readonly { readonly node: string }[]): string =>
  devices.map(({ node }) => node).join(', ');

/** `btrfs data (1 of 2 devices)`. */
export const btrfsTitle = ({ fsid, members, missing }: BtrfsMembers): string => {
  const name = plainText(members[0]?.device.label ?? '') || fsid;
  const present = members.length;
  const whole = present + missing;
  if (whole === 1) return `btrfs ${name}`;
  return `btrfs ${name} (${missing === 0 ? counted(whole, 'device') : `${present} of ${counted(whole, 'device')}`})`;
};

const degradedMeans: Readonly<Record<LayerMode, string>> = {
  'read-only': 'It can be looked at if the rest has a copy of everything.',
  'read-write':
    'Mounted for writing, what is written from now on may have one copy only, also after the device is back: then a balance has to make the second one (btrfs balance start -dconvert=raid1,soft -mconvert=raid1,soft).',
};

/** Why a btrfs with a device missing stays closed, and what opening it means. */
export const degradedWhy = (
  { missing, members, choices }: BtrfsMembers,
  mode: LayerMode,
): string => {
  const whole = counted(missing + members.length, 'device');
  const which =
    choices.length === 0
      ? ''
      : ` ${nodes(choices)} are copies of the same one: name the right one with --with.`;
  return `${missing} of its ${whole} ${missing === 1 ? 'is' : 'are'} missing.${which} ${degradedMeans[mode]}`;
};

/** Two devices of the target are the same device of one btrfs. */
export const twiceWhy = ({ members, twice }: BtrfsMembers): string => {
  const numbers = new Set(twice.map(({ devid }) => devid));
  const copies = [...members.filter(({ devid }) => numbers.has(devid)), ...twice];
  return `${nodes(copies)} carry the same device of one btrfs, one is a copy of the other. Name only one of their disks.`;
};

const mountedElsewhere = 'A file system with the same UUID is mounted on this machine';

/** A clone over several devices cannot be told from the original by any tool. */
export const clonesWhy = `${mountedElsewhere}, and this one spans several devices: no tool keeps them apart. Unmount the other one, or attach the disks to a machine that does not have it.`;

/** What renaming a clone for a session means. */
export const renameWhy = `${mountedElsewhere}, and its kernel (before Linux 6.7) mounts only one of them. For writing, the UUID on the attached disk has to be another one for this session (btrfstune -M); it is put back at the end, also by rescuekit cleanup.`;

/** btrfstune commits, and the log tree would then be of a commit that is gone. */
export const logWaitsWhy = `${mountedElsewhere}, and the log tree of this one has not been replayed: with another UUID it never could be. Unmount the other one, attach the disk to a machine that does not have it, or look at it read-only.`;
