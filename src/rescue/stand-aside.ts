import { type Device, flattenDevice } from '../devices/device.ts';
import { majorMinorOf } from '../devices/device-number.ts';
import { kernelName } from '../devices/kernel-name.ts';
import { findDevice } from '../devices/read-devices.ts';
import { RescueError, refusal } from '../host/rescue-error.ts';
import { onlineFiles } from '../rehearsal/lvm-online.ts';
import type { LayeredDisk } from '../rehearsal/record.ts';
import { theSame } from '../rehearsal/same-disk.ts';
import { hasUdev, restRules, ruleCommands } from '../rehearsal/udev-rest.ts';
import { clearHolders } from '../storage/clear-holders.ts';
import { lastingLoopsOf } from '../storage/loop.ts';
import { isReadOnly, writeProtect } from '../storage/write-protect.ts';
import { readTree } from './open-stack.ts';
import type { Session } from './session.ts';
import { requireUsable } from './usable.ts';

/** A disk that was found again, or an image. */
export type Origin = LayeredDisk & {
  /** Nodes of the disk and its partitions; none for an image. */
  readonly nodes: readonly string[];
};

const sectorBytes = 512;

const vanishedDisk = (disk: LayeredDisk): RescueError =>
  new RescueError({
    code: 'VANISHED',
    message: `${disk.name} is not attached any more, or is another disk now.`,
    hint: 'Attach it again, and look: rescuekit list',
  });

const partitionNodes = (device: Device): readonly string[] =>
  device.children.flatMap(({ kind, path }) => (kind === 'partition' && path !== null ? path : []));

const originOf = async (
  { host }: Session,
  tree: readonly Device[],
  disk: LayeredDisk,
): Promise<Origin | null> => {
  if (disk.kind === 'image') {
    const status = await host.files.status(disk.path);
    // A loop device shows whole sectors only.
    const bytes = status === null ? -1 : status.sizeBytes - (status.sizeBytes % sectorBytes);
    return bytes === disk.sizeBytes ? { ...disk, nodes: [] } : null;
  }
  const device = theSame(disk, tree);
  return device === null || device.path === null
    ? null
    : { ...disk, path: device.path, nodes: [device.path, ...partitionNodes(device)] };
};

/**
 * The disks as they are attached now: under whatever name, where a serial number or what is on them
 * tells which they are. Of two records that mean one disk nobody can tell which of them it is.
 */
export const lookForOrigins = async (
  session: Session,
  disks: readonly LayeredDisk[],
): Promise<{ readonly origins: readonly Origin[]; readonly gone: readonly LayeredDisk[] }> => {
  const tree = await readTree(session);
  const found = await Promise.all(disks.map((disk) => originOf(session, tree, disk)));
  const isOnly = (origin: Origin): boolean =>
    found.filter((other) => other?.path === origin.path).length === 1;
  const known = found.map((origin) => (origin !== null && isOnly(origin) ? origin : null));
  return {
    origins: known.filter((origin) => origin !== null),
    gone: disks.filter((_, index) => known[index] === null),
  };
};

/** All of them. @throws RescueError `VANISHED` */
export const findOrigins = async (
  session: Session,
  disks: readonly LayeredDisk[],
): Promise<readonly Origin[]> => {
  const { origins, gone } = await lookForOrigins(session, disks);
  const [first] = gone;
  if (first !== undefined) throw vanishedDisk(first);
  return origins;
};

const requireFree = async (session: Session, origins: readonly Origin[]): Promise<void> => {
  const tree = await readTree(session);
  const disks = origins.filter(({ kind }) => kind === 'disk');
  await requireUsable(session, tree, disks, 'read-write');
  for (const { kind, path } of origins) {
    const [loop] = kind === 'image' ? await lastingLoopsOf(session.host, path) : [];
    if (loop === undefined) continue;
    throw refusal('BUSY', `${path} is attached as ${loop}.`, `losetup --detach ${loop}`);
  }
};

const lockAll = async (session: Session, origins: readonly Origin[]): Promise<void> => {
  for (const { kind, path } of origins) {
    const status = await session.host.files.statusFollowed(path);
    if (status === null) continue;
    const key =
      kind === 'image'
        ? `file-${status.dev}-${status.ino}`
        : `block-${majorMinorOf(status.rdev).replace(':', '-')}`;
    await session.lock(key, 'exclusive');
  }
};

/** What udev has put up on the disks, idle as it is, would be there twice beside a layer. */
const hasHolders = async (session: Session, node: string): Promise<boolean> => {
  const path = `/sys/class/block/${kernelName(node)}/holders`;
  return ((await session.host.files.list(path)) ?? []).length > 0;
};

/** Numbers of the devices and of all that stands on them. */
const numbersOn = async (
  session: Session,
  nodes: readonly string[],
): Promise<ReadonlySet<string>> => {
  const tree = await readTree(session);
  const on = nodes.flatMap((node) => {
    const device = findDevice(tree, node);
    return device === null ? [] : flattenDevice(device);
  });
  return new Set(on.flatMap(({ majorMinor }) => majorMinor ?? []));
};

const restFromUdev = async (
  session: Session,
  origins: readonly Origin[],
  btrfs: boolean,
): Promise<string> => {
  const nodes = origins.flatMap((origin) => origin.nodes);
  const held = await Promise.all(nodes.map((node) => hasHolders(session, node)));
  const disks = origins.flatMap(({ nodes: [disk] }) =>
    disk === undefined ? [] : [kernelName(disk)],
  );
  const rules = restRules(
    session.id,
    disks,
    origins.map(({ path }) => path),
  );
  const paths = rules.map(([path]) => path);
  const wasUp = held.includes(true);
  const online = wasUp ? await onlineFiles(session.host, await numbersOn(session, nodes)) : [];
  await session.perform({
    title: `Keep udev from ${origins.map(({ name }) => name).join(', ')}`,
    commands: ruleCommands(rules),
    why: 'udev would assemble and activate what is on the disks beside what is on their layers.',
    risk: 'none: the rules are for these disks and go when the session ends',
    undo: {
      kind: 'udev-look-again',
      // What LVM remembers goes with the rules: else udev would not activate a group again.
      rules: [...paths, ...online],
      devices: wasUp ? nodes : [],
      btrfs,
    },
  });
  return paths[1] ?? '';
};

/**
 * Makes disks stand aside: nothing of them is up, udev leaves them alone, and this session is their
 * only user. Arrays and groups that udev has activated and nobody uses are taken down, and udev puts
 * them up again when the session ends.
 *
 * @param btrfs a btrfs will be seen on layers over them.
 * @returns the file of rules, for what comes later; null where there is no udev.
 * @throws RescueError `PROTECTED`, `MOUNTED`, `BUSY`, `LOCKED` (4), `READ_ONLY`, `VANISHED` (1).
 */
export const standAside = async (
  session: Session,
  origins: readonly Origin[],
  btrfs = false,
): Promise<string | null> => {
  await lockAll(session, origins);
  await requireFree(session, origins);
  const rules = (await hasUdev(session.host)) ? await restFromUdev(session, origins, btrfs) : null;
  for (const { name, nodes } of origins) {
    const [disk] = nodes;
    const cleared = disk === undefined ? null : await clearHolders(session.host, disk);
    if (cleared?.outcome !== 'left') continue;
    throw refusal(
      'BUSY',
      `${name} is in use: ${cleared.reason}.`,
      'End what uses it (lsblk shows what stands on it), then try again.',
    );
  }
  return rules;
};

/** Makes the kernel refuse every write to the disks themselves. */
export const protectOrigins = async (
  session: Session,
  origins: readonly Origin[],
): Promise<void> => {
  // The partitions first: a disk that is read-only makes them look so, too.
  for (const node of origins.flatMap(({ nodes }) => [...nodes].reverse())) {
    if (!(await isReadOnly(session.host, node))) await session.perform(writeProtect(node));
  }
};

/** Leaves devices out of what the session sees. */
export const putAside = async (session: Session, nodes: readonly string[]): Promise<void> => {
  for (const node of nodes) {
    const status = await session.host.files.statusFollowed(node);
    if (status?.kind === 'block') session.aside.add(majorMinorOf(status.rdev));
  }
};

/** Disks of the tree on which one of the nodes lies. */
export const disksOf = (tree: readonly Device[], nodes: ReadonlySet<string>): readonly Device[] =>
  tree.filter(
    (disk) =>
      disk.protected === null &&
      flattenDevice(disk).some(({ path, aliases }) =>
        [path ?? '', ...aliases].some((name) => nodes.has(name)),
      ),
  );
