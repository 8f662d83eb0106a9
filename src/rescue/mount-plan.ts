import { z } from 'zod';
import { type Device, nodeOf } from '../devices/device.ts';
import { fileSystemFor } from '../filesystems/registry.ts';
import { plainText } from '../host/plain-text.ts';
import type { BtrfsVolume } from '../storage/layer.ts';
import { firstRoot, inMountOrder, normalTarget, optionValue } from '../system-image/fstab.ts';
import { isBindMount, isNetworkFileSystem, isPseudo } from '../system-image/fstab-spec.ts';
import { resolveSpec } from '../system-image/resolve-spec.ts';
import type { ArrayLine, CrypttabEntry, FstabEntry } from '../system-image/system-facts.ts';
import { btrfsMount, btrfsMountSchema, volumeOn } from './btrfs-volumes.ts';

export const plannedMountSchema = z.object({
  /** Mount point inside the system. */
  target: z.string(),
  /** As fstab names the device; for the root without a line its own device. */
  spec: z.string(),
  /** Device node among the attached disks, null when it was not found. */
  device: z.string().nullable(),
  fsType: z.string(),
  /** Options as fstab has them. */
  options: z.array(z.string()).readonly(),
  /** `mount`: will be mounted. Everything else says in `note` why not. */
  state: z.enum(['mount', 'missing', 'ambiguous', 'skipped']),
  note: z.string().nullable(),
  /** For a btrfs over several devices, or one beside its clone. */
  btrfs: btrfsMountSchema.optional(),
});

export type PlannedMount = Readonly<z.infer<typeof plannedMountSchema>>;

/** Where the root was found, and what fstab may be resolved against. */
export type RootPlace = {
  readonly device: Device;
  readonly disk: Device;
  readonly disks: readonly Device[];
  /** btrfs subvolume, null for the file system's own top or another file system. */
  readonly subvolume: string | null;
  /** btrfs that were put together from several devices, or kept apart from a clone. */
  readonly volumes?: readonly BtrfsVolume[];
};

const subvolumeOptions = (options: readonly string[]): readonly string[] => {
  // Of what the disk says only these are taken over: everything else is ours to decide.
  const subvolume = optionValue(options, 'subvol');
  const id = optionValue(options, 'subvolid');
  if (subvolume !== null && !subvolume.includes(',')) return [`subvol=${subvolume}`];
  return id !== null && /^\d+$/.test(id) ? [`subvolid=${id}`] : [];
};

/** Options by which a btrfs mount finds its subvolume; empty for other file systems. */
export const selectOptions = (mount: PlannedMount): readonly string[] =>
  mount.fsType === 'btrfs' ? subvolumeOptions(mount.options) : [];

const alwaysWanted = new Set(['/boot', '/boot/efi', '/efi']);

const isWanted = (entry: FstabEntry): boolean =>
  !entry.options.includes('noauto') || alwaysWanted.has(normalTarget(entry.target));

const planned = (
  entry: FstabEntry,
  rest: Pick<PlannedMount, 'device' | 'state' | 'note' | 'btrfs'>,
  fsType?: string,
): PlannedMount => ({
  target: plainText(entry.target),
  spec: plainText(entry.spec),
  fsType: plainText(fsType ?? entry.fsType),
  options: entry.options.map(plainText),
  ...rest,
});

type ResolveHelp = {
  readonly rootSpec: string | undefined;
  /** Devices that are other file systems of this system for certain; a guess never takes them. */
  readonly taken: readonly Device[];
  /** ARRAY lines of the system's mdadm.conf. */
  readonly arrays: readonly ArrayLine[];
  readonly crypttab: readonly CrypttabEntry[];
};

const resolveEntry = (
  entry: FstabEntry,
  place: RootPlace,
  { rootSpec, taken, arrays, crypttab }: ResolveHelp,
) =>
  resolveSpec(entry, {
    devices: place.disks,
    rootDisk: place.disk,
    taken,
    arrays,
    crypttab,
    volumes: place.volumes ?? [],
    ...(rootSpec === undefined ? {} : { rootSpec }),
  });

const planEntry = (entry: FstabEntry, place: RootPlace, help: ResolveHelp): PlannedMount => {
  const resolution = resolveEntry(entry, place, help);
  switch (resolution.kind) {
    case 'missing':
      return planned(entry, { device: null, state: 'missing', note: resolution.reason });
    case 'ambiguous':
      return planned(entry, {
        device: null,
        state: 'ambiguous',
        note: `several attached disks have it: ${resolution.candidates.map(nodeOf).join(', ')}`,
      });
    case 'no-device':
      return planned(entry, { device: null, state: 'skipped', note: resolution.reason });
    case 'found':
      return planFound(entry, resolution.device, resolution.note, place);
  }
};

const planFound = (
  entry: FstabEntry,
  device: Device,
  note: string | null,
  place: RootPlace,
): PlannedMount => {
  const volume = volumeOn(place.volumes ?? [], device);
  const base = { device: volume?.device ?? nodeOf(device), note, ...btrfsMount(volume) };
  const actual = device.fsType ?? entry.fsType;
  if (entry.fsType === 'swap') return planned(entry, { ...base, state: 'skipped', note: 'swap' });
  if (!isWanted(entry))
    return planned(entry, { ...base, state: 'skipped', note: 'noauto' }, actual);
  if (fileSystemFor(actual) === null) {
    return planned(entry, {
      ...base,
      state: 'skipped',
      note: `${plainText(actual)} cannot be mounted here`,
    });
  }
  return planned(entry, { ...base, state: 'mount' }, actual);
};

/**
 * What is to be mounted where, the shortest path first, from the system's fstab. The root itself is
 * the first element: its device is where the system was found, whatever fstab says.
 */
export const planMounts = (
  fstab: readonly FstabEntry[],
  place: RootPlace,
  arrays: readonly ArrayLine[] = [],
  crypttab: readonly CrypttabEntry[] = [],
): readonly PlannedMount[] => {
  const rootEntry = firstRoot(fstab);
  const { fsType } = place.device;
  const volume = volumeOn(place.volumes ?? [], place.device);
  // A system at the top is not what a btrfs mounts by default when it has a default subvolume.
  const top = fsType === 'btrfs' ? ['subvolid=5'] : [];
  const subvolume = place.subvolume === null ? top : [`subvol=${place.subvolume}`];
  const others = (rootEntry?.options ?? []).filter((option) => !option.startsWith('subvol'));
  const root: PlannedMount = {
    target: '/',
    spec: plainText(rootEntry?.spec ?? nodeOf(place.device) ?? place.device.name),
    device: volume?.device ?? nodeOf(place.device),
    fsType: fsType ?? 'auto',
    options: [...others.map(plainText), ...subvolume],
    state: 'mount',
    note: rootEntry === null ? 'fstab has no line for /' : null,
    ...btrfsMount(volume),
  };
  const rest = inMountOrder(fstab).filter(
    (entry) =>
      normalTarget(entry.target) !== '/' &&
      !isNetworkFileSystem(entry) &&
      !isPseudo(entry) &&
      !isBindMount(entry),
  );
  const first: ResolveHelp = {
    rootSpec: rootEntry?.spec,
    taken: [place.device],
    arrays,
    crypttab,
  };
  const certain = rest.flatMap((entry) => {
    const resolution = resolveEntry(entry, place, first);
    return resolution.kind === 'found' && resolution.how === 'exact' ? [resolution.device] : [];
  });
  const help: ResolveHelp = { ...first, taken: [place.device, ...certain] };
  return [root, ...rest.map((entry) => planEntry(entry, place, help))];
};
