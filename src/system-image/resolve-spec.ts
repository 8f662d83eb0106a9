import type { Device } from '../devices/device.ts';
import { isOldSnapshot } from '../devices/volume-parts.ts';
import { plainText } from '../host/plain-text.ts';
import type { BtrfsVolume } from '../storage/layer.ts';
import { findArray } from './array-device.ts';
import { crypttabEntry } from './crypttab.ts';
import { isArrayName, parseKernelName, parseVolumeName } from './device-names.ts';
import { type FstabSpec, parseSpec } from './fstab-spec.ts';
import { guessArray, guessByKernelName, guessBySerial, guessBySlot } from './guess-device.ts';
import { resolveMapping } from './resolve-crypttab.ts';
import type { ArrayLine, CrypttabEntry, FstabEntry } from './system-facts.ts';
import {
  candidatesAmong,
  hasClosedLayer,
  type Node,
  sameDevice,
  targetNodes,
} from './target-devices.ts';

export type ResolveContext = {
  /** Trees of the attached disks, those of the target first; protected devices are passed over. */
  readonly devices: readonly Device[];
  /** The disk that holds the root file system: of clones with the same UUID it has the right one. */
  readonly rootDisk: Device | null;
  /** The spec of the root's own fstab line: it tells what the root disk was called at that time. */
  readonly rootSpec?: string;
  /** Devices that are other file systems of this system for certain; a guess never takes them. */
  readonly taken?: readonly Device[];
  /**
   * Which container `/dev/mapper/NAME` is in: the system's crypttab, then what the kernel's command
   * line opens.
   */
  readonly crypttab?: readonly CrypttabEntry[];
  /** ARRAY lines of the system's mdadm.conf. */
  readonly arrays?: readonly ArrayLine[];
  /** btrfs that were put together from several devices, or kept apart from a clone. */
  readonly volumes?: readonly BtrfsVolume[];
};

export type Resolution =
  | {
      readonly kind: 'found';
      readonly device: Device;
      /** `guessed` when the name is one of an earlier boot: `note` says by what it was guessed. */
      readonly how: 'exact' | 'guessed';
      readonly note: string | null;
    }
  | { readonly kind: 'missing'; readonly reason: string }
  | { readonly kind: 'ambiguous'; readonly candidates: readonly Device[] }
  /** Network, pseudo, bind and file entries stand on no device of their own. */
  | { readonly kind: 'no-device'; readonly reason: string };

const choose = (
  all: readonly Node[],
  { rootDisk, devices }: Pick<ResolveContext, 'rootDisk' | 'devices'>,
): readonly Node[] => {
  if (all.length < 2) return all;
  // A snapshot has the identity of its origin, which is what is meant.
  const origins = all.filter(({ device }) => !isOldSnapshot(device, devices));
  const nodes = origins.length === 0 ? all : origins;
  if (nodes.length < 2 || rootDisk === null) return nodes;
  const onRootDisk = nodes.filter((node) => node.disks.some((disk) => sameDevice(disk, rootDisk)));
  return onRootDisk.length === 0 ? nodes : onRootDisk;
};

/** The btrfs that all of them are devices of. */
const volumeOfAll = (nodes: readonly Node[], volumes: readonly BtrfsVolume[]): BtrfsVolume | null =>
  volumes.find(({ shownOn }) => nodes.every(({ device }) => shownOn.includes(device.path ?? ''))) ??
  null;

/** The nodes of btrfs with this UUID; a clone may have another one for the time of the session. */
const volumeNodes = (fsid: string, { devices, volumes = [] }: ResolveContext): readonly Node[] => {
  const shownOn = new Set(
    volumes.flatMap((volume) => (volume.fsid === fsid ? volume.shownOn : [])),
  );
  return shownOn.size === 0
    ? []
    : targetNodes(devices).filter(({ device }) => shownOn.has(device.path ?? ''));
};

const exact = (
  nodes: readonly Node[],
  what: string,
  context: ResolveContext,
  note: string | null = null,
): Resolution => {
  const chosen = choose(nodes, context);
  const [first] = chosen;
  if (first === undefined) {
    const closed = hasClosedLayer(context.devices)
      ? '; it may be inside a layer that is not open yet'
      : '';
    return { kind: 'missing', reason: `no attached disk has ${plainText(what)}${closed}` };
  }
  const { device } = first;
  const found = { kind: 'found', device, how: 'exact' } as const;
  const volume = volumeOfAll(nodes, context.volumes ?? []);
  if (volume !== null) {
    const { length } = volume.members;
    return { ...found, note: length > 1 ? `one of the ${length} devices of this btrfs` : note };
  }
  if (chosen.length === 1) {
    const clone = nodes.length > 1 ? 'of several with this name, the one on the root disk' : null;
    return { ...found, note: clone ?? note };
  }
  // All devices of one btrfs carry its UUID, and any of them mounts it.
  if (chosen.every((node) => node.device.fsType === 'btrfs')) {
    const oneDisk = new Set(chosen.map((node) => node.disks[0])).size === 1;
    if (oneDisk) return { ...found, note: `one of the ${chosen.length} devices of this btrfs` };
  }
  return { kind: 'ambiguous', candidates: chosen.map((node) => node.device) };
};

type TagKind = 'uuid' | 'label' | 'partuuid' | 'partlabel';

const tagOf = (device: Device, kind: TagKind): string | null => {
  switch (kind) {
    case 'uuid':
      return device.uuid;
    case 'label':
      return device.label;
    case 'partuuid':
      return device.partition?.uuid ?? null;
    case 'partlabel':
      return device.partition?.label ?? null;
  }
};

const resolveTag = (kind: TagKind, value: string, context: ResolveContext): Resolution => {
  const what = `${kind.toUpperCase()} ${value}`;
  if (value === '') return { kind: 'missing', reason: `the ${kind.toUpperCase()} is empty` };
  const known = kind === 'uuid' ? volumeNodes(value, context) : [];
  if (known.length > 0) return exact(known, what, context);
  const nodes = candidatesAmong(context.devices, (device) => tagOf(device, kind) === value);
  if (nodes.length > 0 || kind === 'label' || kind === 'partlabel') {
    return exact(nodes, what, context);
  }
  const lower = value.toLowerCase();
  const loose = candidatesAmong(
    context.devices,
    (device) => tagOf(device, kind)?.toLowerCase() === lower,
  );
  // systemd and udev compare the link's name as it is written, so the boot may wait in vain.
  return exact(loose, what, context, 'fstab writes it in other letter case than the disk');
};

const resolveArray = (path: string, fsType: string, context: ResolveContext): Resolution => {
  const { nodes, line } = findArray(path, context.devices, context.arrays ?? []);
  if (nodes.length > 0) return exact(nodes, path, context);
  // What mdadm.conf settles is not guessed: another array would be the wrong one.
  if (line === null) return guessArray(path, fsType, context);
  const what = line.uuid === null ? 'that name' : `UUID ${line.uuid}`;
  return exact([], `the array that mdadm.conf calls ${path} (${what})`, context);
};

const resolveVolume = (path: string, context: ResolveContext): Resolution => {
  const direct = candidatesAmong(context.devices, (device) => device.aliases.includes(path));
  const wanted = parseVolumeName(path);
  if (direct.length > 0 || wanted === null) return exact(direct, path, context);
  const nodes = candidatesAmong(context.devices, (device) =>
    [device.path ?? '', ...device.aliases].some((name) => {
      const volume = device.kind === 'lvm' ? parseVolumeName(name) : null;
      return volume?.group === wanted.group && volume.volume === wanted.volume;
    }),
  );
  return exact(nodes, path, context);
};

/** Null for what is no name of crypttab. */
const resolveCrypt = (path: string, context: ResolveContext): Resolution | null => {
  const name = /^\/dev\/mapper\/([^/]+)$/.exec(path)?.[1];
  const entry = name === undefined ? null : crypttabEntry(context.crypttab ?? [], name);
  return entry === null ? null : resolveMapping(entry, resolveContainer(entry, context));
};

/** The encrypted device that a line of crypttab is about. */
export const resolveContainer = (entry: CrypttabEntry, context: ResolveContext): Resolution =>
  // Its own mapping cannot lie in itself, whatever the line says.
  resolveParsed(parseSpec(entry.source), 'crypto_LUKS', {
    ...context,
    crypttab: (context.crypttab ?? []).filter(({ name }) => name !== entry.name),
  });

const resolvePath = (path: string, fsType: string, context: ResolveContext): Resolution => {
  if (isArrayName(path)) return resolveArray(path, fsType, context);
  // Kernel names are given in the order of discovery: on this host they mean other disks.
  const name = parseKernelName(path);
  if (name !== null) return guessByKernelName(path, name, fsType, context);
  return resolveCrypt(path, context) ?? resolveVolume(path, context);
};

const resolveId = (name: string, fsType: string, context: ResolveContext): Resolution => {
  const path = `/dev/disk/by-id/${name}`;
  const nodes = candidatesAmong(context.devices, (device) => device.aliases.includes(path));
  return nodes.length > 0 ? exact(nodes, path, context) : guessBySerial(name, fsType, context);
};

const resolveParsed = (spec: FstabSpec, fsType: string, context: ResolveContext): Resolution => {
  switch (spec.kind) {
    case 'uuid':
    case 'label':
    case 'partuuid':
    case 'partlabel':
      return resolveTag(spec.kind, spec.value, context);
    case 'by-id':
      return resolveId(spec.name, fsType, context);
    case 'by-path':
      return guessBySlot(spec.name, fsType, context);
    case 'path':
      return resolvePath(spec.path, fsType, context);
    case 'bind':
    case 'file':
      return { kind: 'no-device', reason: 'a directory or file of the system itself' };
    case 'network':
      return { kind: 'no-device', reason: 'a file system from the network' };
    case 'pseudo':
      return { kind: 'no-device', reason: 'a file system that the kernel makes itself' };
    case 'unknown':
      return { kind: 'missing', reason: `${plainText(spec.text)} names no device` };
  }
};

/**
 * Finds the device that an fstab line means among the attached disks, never among the host's own.
 * Tags and stable names are exact; kernel names and slots of an earlier boot are guessed, and only
 * when exactly one device fits.
 */
export const resolveSpec = (
  entry: Pick<FstabEntry, 'spec' | 'fsType' | 'options'>,
  context: ResolveContext,
): Resolution => resolveParsed(parseSpec(entry.spec, entry), entry.fsType, context);
