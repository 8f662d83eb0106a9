import { type Device, nodeOf } from '../devices/device.ts';
import { isOldSnapshot } from '../devices/volume-parts.ts';
import type { MountRequest } from '../filesystems/mount-step.ts';
import { fileSystemFor } from '../filesystems/registry.ts';
import { mapBounded } from '../host/bounded.ts';
import { isInterruption, messageOf, RescueError } from '../host/rescue-error.ts';
import type { BtrfsVolume } from '../storage/layer.ts';
import { findRoots } from '../system-image/find-roots.ts';
import { resolveInside } from '../system-image/inside.ts';
import { readSystemFacts } from '../system-image/read-system.ts';
import type { SystemFacts } from '../system-image/system-facts.ts';
import type { AttachedTarget } from './attach.ts';
import { btrfsMount, volumeOn, volumesOf } from './btrfs-volumes.ts';
import { type StillHolder, stillHolder } from './hold-still.ts';
import { hookRoots } from './hook-roots.ts';
import { mountFileSystem } from './mount-file-system.ts';
import { type PlannedMount, planMounts, type RootPlace, selectOptions } from './mount-plan.ts';
import type { Session } from './session.ts';

/** One Linux system that was found, with all that belongs to it. */
export type FoundSystem = {
  /** Null when the target is a directory, and for what a hook has mounted. */
  readonly place: RootPlace | null;
  /** Where a hook has mounted it, for what only hooks can mount. */
  readonly hookRoot?: string;
  /** Path of the root inside its file system: an OSTree deployment; empty otherwise. */
  readonly deployment: string;
  readonly snapshot: boolean;
  readonly facts: SystemFacts;
  /** The root first, then the rest in mount order. */
  readonly mounts: readonly PlannedMount[];
};

export type Survey = {
  readonly systems: readonly FoundSystem[];
  /** File systems that could not be looked at, with the reason. */
  readonly problems: readonly { readonly device: string; readonly reason: string }[];
};

const looksAtATime = 4;

/** The kernel would only say "unknown file system type" for these, or there is no root on them. */
const neverRoot = new Set(['vfat', 'exfat', 'ntfs', 'swap']);

/**
 * How much of a system is looked at: `whole` for a report with kernels and boot loader, `enough`
 * for a job that only needs to know its programs.
 */
export type SurveyDepth = 'whole' | 'enough';

/** Mounts below the root that hold what the facts tell: kernels, boot loader, programs. */
const partsToLookAt: Readonly<Record<SurveyDepth, ReadonlySet<string>>> = {
  whole: new Set(['/usr', '/boot', '/boot/efi', '/efi']),
  enough: new Set(['/usr']),
};

type Candidate = {
  readonly device: Device;
  readonly path: string;
  readonly fsType: string;
  readonly volume: BtrfsVolume | null;
  /** A snapshot of LVM's old kind. */
  readonly snapshot: boolean;
};

/** Each file system once, also when several devices or a stand-in show it. */
const candidates = ({ searched, stack, closed }: AttachedTarget): readonly Candidate[] => {
  const volumes = volumesOf(stack.opened);
  const shut = new Set(closed.flatMap(({ layer, devices }) => (layer === 'btrfs' ? devices : [])));
  const found = searched.flatMap((device) => {
    const { fsType } = device;
    const node = nodeOf(device);
    if (node === null || fsType === null || neverRoot.has(fsType)) return [];
    if (fileSystemFor(fsType) === null || shut.has(device.path ?? node)) return [];
    const volume = volumeOn(volumes, device);
    const snapshot = isOldSnapshot(device, searched);
    return [{ device, path: volume?.device ?? node, fsType, volume, snapshot }];
  });
  return found.filter(({ path }, index) => found.findIndex((one) => one.path === path) === index);
};

/** A private directory for one mount; it goes away with the session's tmpfs. */
const lookDirectory = async (session: Session, name: string): Promise<string> => {
  const path = `${session.runDirectory}/look/${name}`;
  await session.host.files.ensureDirectory(path, 0o700);
  session.transcript.shell(`mkdir --parents ${path}`);
  return path;
};

/**
 * The kernel writes to an ext file system when it meets an error in it, even to one that is mounted
 * read-only (ext4_handle_error), so each device is write-protected before it is mounted.
 */
type LookSession = Session & Pick<StillHolder, 'protect'>;

type LookOptions = Pick<MountRequest, 'device' | 'fsType' | 'select' | 'btrfs'>;

const look = async (session: LookSession, path: string, options: LookOptions): Promise<number> => {
  for (const device of [options.device, ...(options.btrfs?.devices ?? [])]) {
    await session.protect(device);
  }
  return mountFileSystem(session, { ...options, path, mode: 'look', setuid: false });
};

const withLook = async <T>(
  session: LookSession,
  path: string,
  options: LookOptions,
  read: () => Promise<T>,
): Promise<T> => {
  const step = await look(session, path, options);
  try {
    return await read();
  } finally {
    await session.takeDown(step);
  }
};

/** Mounts the parts of a system that its facts need below its root, reads, and unmounts. */
const withParts = async <T>(
  session: LookSession,
  root: string,
  mounts: readonly PlannedMount[],
  read: () => Promise<T>,
): Promise<T> => {
  const [next, ...rest] = mounts;
  if (next === undefined) return read();
  const path = await resolveInside(session.host.files, root, next.target);
  const skip = () => withParts(session, root, rest, read);
  if (path === null || path === root || next.device === null) return skip();
  const { device, fsType, btrfs } = next;
  const options = { device, fsType, select: selectOptions(next), ...(btrfs ? { btrfs } : {}) };
  const step = await look(session, path, options)
    // A part that cannot be mounted here (no vfat in this kernel, damaged) is missing from the
    // facts; `check` and the mount itself say why.
    .catch((error: unknown) => (isInterruption(error) ? Promise.reject(error) : null));
  try {
    return await skip();
  } finally {
    if (step !== null) await session.takeDown(step);
  }
};

const readRoot = async (
  session: LookSession,
  attached: AttachedTarget,
  candidate: Candidate,
  root: { readonly path: string; readonly kind: string; readonly snapshot: boolean },
  mounted: string,
  depth: SurveyDepth,
): Promise<FoundSystem | null> => {
  const { files } = session.host;
  const inside = await resolveInside(files, mounted, `/${root.path}`);
  if (inside === null) return null;
  const place: RootPlace = {
    device: candidate.device,
    disk: attached.disk,
    disks: attached.disks,
    subvolume: root.kind === 'subvolume' ? root.path : null,
    volumes: volumesOf(attached.stack.opened),
  };
  const bare = await readSystemFacts(files, inside);
  const mounts = planMounts(bare.fstab, place, bare.arrays, bare.crypttab);
  const parts = mounts.filter(
    (mount) => mount.state === 'mount' && partsToLookAt[depth].has(mount.target),
  );
  const facts =
    parts.length === 0
      ? bare
      : await withParts(session, inside, parts, () => readSystemFacts(files, inside));
  const deployment = root.kind === 'ostree' ? root.path : '';
  return { place, deployment, snapshot: root.snapshot, facts, mounts };
};

/** What a btrfs mounts when nobody names a subvolume; openSUSE runs from one among its snapshots. */
const readDefaultSubvolume = async (session: Session, mounted: string): Promise<string | null> => {
  const { stdout, exitCode } = await session.host.run({
    program: 'btrfs',
    args: ['subvolume', 'get-default', mounted],
    accept: [0, 1],
    changes: false,
  });
  return exitCode === 0 ? (/ path (.+)$/m.exec(stdout)?.[1] ?? null) : null;
};

const surveyFileSystem = async (
  session: LookSession,
  attached: AttachedTarget,
  candidate: Candidate,
  depth: SurveyDepth,
): Promise<readonly FoundSystem[]> => {
  const mounted = await lookDirectory(session, candidate.device.name.replaceAll('/', '-'));
  // The top level shows every subvolume of a btrfs, whatever its default is.
  const select = candidate.fsType === 'btrfs' ? ['subvolid=5'] : [];
  const { path: device, fsType, volume } = candidate;
  const options = { device, fsType, select, ...btrfsMount(volume) };
  return withLook(session, mounted, options, async () => {
    const defaultSubvolume =
      candidate.fsType === 'btrfs' ? await readDefaultSubvolume(session, mounted) : null;
    const roots = await findRoots(
      session.host.files,
      mounted,
      defaultSubvolume === null ? {} : { defaultSubvolume },
    );
    const systems: FoundSystem[] = [];
    for (const root of roots) {
      const place = candidate.snapshot ? { ...root, snapshot: true } : root;
      const system = await readRoot(session, attached, candidate, place, mounted, depth);
      if (system !== null) systems.push(system);
    }
    return systems;
  });
};

/**
 * Finds every Linux root on the target by looking inside. Not one byte is written: each file system
 * is mounted with the options that leave its journal or log alone, and unmounted again.
 *
 * Snapshots count only when there is no system beside them.
 */
export const surveyTarget = async (
  session: Session,
  attached: AttachedTarget,
  depth: SurveyDepth = 'whole',
): Promise<Survey> => {
  const problems: { device: string; reason: string }[] = [];
  const still = stillHolder(session);
  const looking: LookSession = { ...session, protect: still.protect };
  const looks = mapBounded(candidates(attached), looksAtATime, async (candidate) => {
    try {
      return await surveyFileSystem(looking, attached, candidate, depth);
    } catch (error) {
      if (isInterruption(error) || isLeftBehind(error)) throw error;
      problems.push({ device: candidate.path, reason: messageOf(error) });
      return [];
    }
  });
  const found = await looks.finally(still.release);
  const byHooks = (await hookRoots(session)).map((path) => surveyHookRoot(session, path));
  const all = [...found.flat(), ...(await Promise.all(byHooks))];
  const own = all.filter((system) => !system.snapshot);
  return { systems: own.length > 0 ? own : all, problems };
};

const isLeftBehind = (error: unknown): boolean =>
  error instanceof RescueError && error.code === 'LEFT_BEHIND';

const surveyHookRoot = async (session: Session, path: string): Promise<FoundSystem> => ({
  ...(await surveyDirectory(session, path)),
  hookRoot: path,
});

/** The facts of a directory tree; there is nothing to mount. */
export const surveyDirectory = async (session: Session, path: string): Promise<FoundSystem> => ({
  place: null,
  deployment: '',
  snapshot: false,
  facts: await readSystemFacts(session.host.files, path),
  mounts: [],
});
