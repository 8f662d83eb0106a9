import { randomUUID } from 'node:crypto';
import { type Device, flattenDevice } from '../devices/device.ts';
import { type BtrfsDevice, btrfsNodes, byFileSystem, readBtrfsDevices } from './btrfs-devices.ts';
import { type BtrfsMembers, chooseMembers } from './btrfs-members.ts';
import { forgetCommands, registrationStep } from './btrfs-registration.ts';
import { renameCommand, renameCoverStep, renameStep } from './btrfs-rename.ts';
import {
  btrfsTitle,
  clonesWhy,
  degradedWhy,
  logWaitsWhy,
  renameWhy,
  twiceWhy,
} from './btrfs-words.ts';
import { coverArgs, coverDevice, coverNode } from './cover.ts';
import type { BtrfsVolume, Layer, LayerContext, Need, Opening } from './layer.ts';

const pathsOf = (devices: readonly BtrfsDevice[]): readonly string[] => [
  ...new Set(devices.flatMap(({ node, device }) => [device.path ?? node, node])),
];

const openingOf = (
  found: BtrfsMembers,
  more: Pick<Opening, 'rank' | 'need' | 'commands' | 'open'> & { readonly volume?: BtrfsVolume },
): Opening => ({
  key: `btrfs ${found.fsid} ${found.members.length}`,
  layer: 'btrfs',
  what: btrfsTitle(found),
  devices: found.members.map(({ device, node }) => device.path ?? node),
  aliases: {},
  ...more,
});

const closedOpening = (found: BtrfsMembers, why: string): Opening =>
  openingOf(found, {
    rank: 0,
    need: { kind: 'impossible', why },
    commands: () => [],
    open: async () => {},
  });

const volumeOf = (
  { fsid, members, missing, others }: BtrfsMembers,
  device: string,
): BtrfsVolume => ({
  fsid,
  device,
  members: members.map(({ node }) => node),
  shownOn: pathsOf(members),
  copies: others.map(({ node }) => node),
  degraded: missing > 0,
});

/** What is put together from its own devices, with the copies out of the way. */
const ownOpening = (context: LayerContext, found: BtrfsMembers, device: string): Opening => {
  const need: Need =
    found.missing === 0
      ? { kind: 'nothing' }
      : { kind: 'consent', consent: 'degraded', why: degradedWhy(found, context.mode) };
  return openingOf(found, {
    rank: found.missing === 0 ? 0 : 1,
    need,
    volume: volumeOf(found, device),
    commands: () => forgetCommands(found.others.map(({ node }) => node)),
    open: async (perform) => {
      const { fsid, members, others } = found;
      await perform(await registrationStep(context.host, fsid, members, others));
    },
  });
};

/** Linux 6.7 gives a clone a UUID of its own while it is mounted, if it has one device only. */
const kernelKeepsApart = async ({ host }: LayerContext): Promise<boolean> =>
  (await host.files.status('/sys/fs/btrfs/features/temp_fsid')) !== null;

const renameOpening = (found: BtrfsMembers, one: BtrfsDevice): Opening =>
  openingOf(found, {
    rank: 0,
    need: { kind: 'consent', consent: 'rename-clone', why: renameWhy },
    volume: volumeOf(found, one.node),
    commands: () => {
      const { program, args } = renameCommand(one.node, 'NEWUUID');
      return [[program, ...args]];
    },
    open: async (perform) => {
      await perform(renameStep(one.node, one, randomUUID()));
    },
  });

const coverOpening = (context: LayerContext, found: BtrfsMembers, one: BtrfsDevice): Opening => {
  const request = { ...context, device: one.node, label: one.device.name };
  const cover = coverNode(request);
  const table = coverArgs(cover.slice('/dev/mapper/'.length), 'UUID', one.node, 'SECTORS', 'STORE');
  return openingOf(found, {
    rank: 0,
    need: { kind: 'nothing' },
    volume: {
      ...volumeOf(found, cover),
      members: [cover],
      shownOn: [...pathsOf(found.members), cover],
    },
    commands: () => {
      const { program, args } = renameCommand(cover, 'NEWUUID');
      return [
        ['dmsetup', ...table],
        [program, ...args],
      ];
    },
    open: async (perform) => {
      await coverDevice(context.host, perform, request);
      await perform(renameCoverStep(cover, randomUUID()));
    },
  });
};

/** The file system is mounted from other devices: by the host, or by another session. */
const beside = async (
  context: LayerContext,
  found: BtrfsMembers,
  one: BtrfsDevice,
): Promise<Opening | null> => {
  if (found.members.length + found.missing > 1) return closedOpening(found, clonesWhy);
  if (await kernelKeepsApart(context)) return null;
  if (context.mode === 'read-only') return coverOpening(context, found, one);
  return one.needsReplay ? closedOpening(found, logWaitsWhy) : renameOpening(found, one);
};

const kernelName = ({ device }: BtrfsDevice): string => device.name;

const openingFor = async (
  context: LayerContext,
  group: readonly BtrfsDevice[],
): Promise<Opening | null> => {
  const within = (trees: readonly Device[]) => {
    const all = new Set(trees.flatMap(flattenDevice).filter((one) => one.protected === null));
    return (device: Device) => all.has(device);
  };
  const found = chooseMembers(group, within(context.ours), within(context.free));
  const [first] = found?.members ?? [];
  if (found === null || first === undefined) return null;
  if (found.twice.length > 0) return closedOpening(found, twiceWhy(found));
  const mounted = await context.host.files.list(`/sys/fs/btrfs/${found.fsid}/devices`);
  if (mounted?.some((name) => found.members.map(kernelName).includes(name))) return null;
  if (mounted !== null) return beside(context, found, first);
  const isPlain = found.members.length === 1 && found.missing === 0 && found.others.length === 0;
  return isPlain ? null : ownOpening(context, found, first.node);
};

/**
 * btrfs over several devices, and clones of a btrfs. One device that has no copy needs nothing: it
 * is mounted like any other file system.
 */
export const btrfsLayer: Layer = {
  name: 'btrfs',
  probe: async (context) => {
    const ours = new Set(btrfsNodes(context.ours).flatMap(({ uuid }) => uuid ?? []));
    if (ours.size === 0) return [];
    const same = btrfsNodes(context.all).filter(({ uuid }) => ours.has(uuid ?? ''));
    const groups = byFileSystem(await readBtrfsDevices(context.host, same));
    const openings = [...groups.values()].map((group) => openingFor(context, group));
    return (await Promise.all(openings)).flatMap((opening) => opening ?? []);
  },
};
