import type { BindMount } from '../container/container-options.ts';
import { bindStep, overlayStep } from '../filesystems/mount-step.ts';
import { isBelow } from '../host/mount-table.ts';
import { messageOf, RescueError } from '../host/rescue-error.ts';
import { isReadOnly, writeProtect } from '../storage/write-protect.ts';
import { resolveInside, statusInside } from '../system-image/inside.ts';
import { mountFileSystem } from './mount-file-system.ts';
import { type PlannedMount, selectOptions } from './mount-plan.ts';
import type { Session } from './session.ts';
import type { FoundSystem } from './survey.ts';
import type { Target } from './target.ts';

/**
 * `write`: changes stay. `read-only`: nothing can be written. `ephemeral`: everything can be
 * written, into memory, and the disk stays as it is.
 */
export type SystemMode = 'write' | 'read-only' | 'ephemeral';

export type MountedSystem = {
  /** Host directory of the system's root. */
  readonly root: string;
  readonly mounted: readonly PlannedMount[];
  /** What fstab names and could not be mounted, with the reason in `note`. */
  readonly notMounted: readonly PlannedMount[];
  /** Parts that are mounted beside the root and not below it: the container puts them together. */
  readonly apart: readonly BindMount[];
};

type Context = {
  readonly session: Session;
  readonly mode: SystemMode;
  /** Set-user-id programs work (in the container), or not (on the host). */
  readonly setuid: boolean;
  /** See `MountOptions`. */
  readonly apart: boolean;
  readonly layers?: string;
};

export type MountOptions = {
  readonly mode: SystemMode;
  readonly setuid: boolean;
  /**
   * Mounts the parts beside the root: the kernel maps the owners of one mount, and not of a root
   * with others below it (EBUSY).
   */
  readonly apart: boolean;
  /**
   * Directory in which what is written in mode `ephemeral` is kept, on a file system with extended
   * attributes. Left out: in the session's memory, and it goes with the session.
   */
  readonly layers?: string;
};

const ensureDirectory = async (session: Session, path: string): Promise<string> => {
  await session.host.files.ensureDirectory(path, 0o755);
  session.transcript.shell(`mkdir --parents ${path}`);
  return path;
};

/** overlayfs refuses a lower layer whose names fold case; vfat stays plainly read-only then. */
export const canBeLower = (fsType: string): boolean => fsType !== 'vfat' && fsType !== 'exfat';

export const layerAt = (layers: string, name: number | string) => ({
  upper: `${layers}/${name}/upper`,
  work: `${layers}/${name}/work`,
});

export const memoryLayers = (run: string): string => `${run}/layer`;

/** Layers a throwaway directory over `lower`; the name keeps the layers of one session apart. */
const layOver = async (context: Context, lower: string, path: string, name: number | string) => {
  const { session } = context;
  const layer = layerAt(context.layers ?? memoryLayers(session.runDirectory), name);
  await ensureDirectory(session, layer.upper);
  await ensureDirectory(session, layer.work);
  await session.perform(overlayStep({ lower, ...layer, path }));
};

/** What cannot be under a layer is small: the files are copied, and the copy takes its place. */
const copyOver = async (
  { session, layers }: Context,
  lower: string,
  path: string,
  name: number | string,
) => {
  const { upper } = layerAt(layers ?? memoryLayers(session.runDirectory), name);
  await ensureDirectory(session, upper);
  await session.perform({
    title: `Work on a copy of ${lower}`,
    commands: [{ program: 'cp', args: ['--archive', '--no-target-directory', lower, upper] }],
    why: 'What the system writes goes to the copy.',
    risk: 'none for the disk: it stays as it is',
    undo: null,
  });
  await session.perform(bindStep(upper, path, false));
};

const protectDevice = async (session: Session, device: string): Promise<void> => {
  // A device that is read-only already stays so afterwards.
  if (!(await isReadOnly(session.host, device))) await session.perform(writeProtect(device));
};

const mountOne = async (
  context: Context,
  mount: PlannedMount,
  path: string,
  name: number | string,
): Promise<void> => {
  const { session, mode, setuid } = context;
  if (mount.device === null) return;
  const request = {
    device: mount.device,
    fsType: mount.fsType,
    select: selectOptions(mount),
    setuid,
    ...(mount.btrfs === undefined ? {} : { btrfs: mount.btrfs }),
  };
  if (mode !== 'write') {
    const devices = new Set([mount.device, ...(mount.btrfs?.devices ?? [])]);
    for (const device of devices) await protectDevice(session, device);
  }
  const copied = context.layers !== undefined && !canBeLower(mount.fsType);
  if (mode === 'ephemeral' && (canBeLower(mount.fsType) || copied)) {
    const lower = await ensureDirectory(session, `${session.runDirectory}/lower/${name}`);
    await mountFileSystem(session, { ...request, path: lower, mode: 'look' });
    await (copied ? copyOver : layOver)(context, lower, path, name);
    return;
  }
  const kind = mode === 'write' ? 'write' : 'look';
  await mountFileSystem(session, { ...request, path, mode: kind });
};

export const noMountPoint = 'its mount point is missing';

const cannot = (mount: PlannedMount, note: string): PlannedMount => ({
  ...mount,
  state: 'skipped',
  note,
});

/** Where a mount point is to be looked for: in the root, or in the part beside it that it lies in. */
const holderOf = (
  context: Context,
  root: string,
  target: string,
  before: readonly PlannedMount[],
): { readonly directory: string; readonly path: string } => {
  const index = context.apart
    ? before.findLastIndex((part) => part.state === 'mount' && isBelow(target, part.target))
    : -1;
  const part = before[index];
  if (part === undefined) return { directory: root, path: target };
  const directory = `${context.session.runDirectory}/part/${index + 1}`;
  return { directory, path: target.slice(part.target.length) || '/' };
};

/** Mounts below the root at a place that is resolved inside it: a link may lead anywhere. */
const mountBelow = async (
  context: Context,
  root: string,
  mount: PlannedMount,
  before: readonly PlannedMount[],
  name: number | string = before.length + 1,
): Promise<PlannedMount> => {
  if (mount.state !== 'mount') return mount;
  const { files } = context.session.host;
  const holder = holderOf(context, root, mount.target, before);
  const path = await resolveInside(files, holder.directory, holder.path);
  const status = path === null ? null : await statusInside(files, holder.directory, holder.path);
  if (path === null || path === holder.directory || status?.kind !== 'directory') {
    return cannot(mount, noMountPoint);
  }
  const place = context.apart
    ? await ensureDirectory(context.session, `${context.session.runDirectory}/part/${name}`)
    : path;
  try {
    await mountOne(context, mount, place, name);
    return mount;
  } catch (error) {
    if (error instanceof RescueError && error.code === 'COMMAND_FAILED') {
      const known = await kernelKnows(context.session, mount.fsType);
      return cannot(
        mount,
        known ? messageOf(error) : `the kernel of this machine has no ${mount.fsType}`,
      );
    }
    throw error;
  }
};

/** After a mount was tried, and with it the loading of a module: proc_filesystems(5). */
const kernelKnows = async (session: Session, fsType: string): Promise<boolean> =>
  ((await session.host.files.readText('/proc/filesystems')) ?? '')
    .split('\n')
    .some((line) => line.split('\t')[1] === fsType);

/**
 * Mounts a system with everything its fstab names below the session's private directory.
 *
 * A part other than the root that cannot be mounted is reported and does not stop the job: a
 * missing data disk is the very thing one comes to mend.
 *
 * @throws RescueError when the root itself cannot be mounted.
 */
export const mountSystem = async (
  session: Session,
  system: FoundSystem,
  options: MountOptions,
): Promise<MountedSystem> => {
  if (system.hookRoot !== undefined) {
    return mountHookRoot(session, system.hookRoot, options.mode, options.layers);
  }
  const context: Context = { session, ...options };
  const top = await ensureDirectory(session, `${session.runDirectory}/root`);
  const [root, ...others] = system.mounts;
  if (root === undefined) return { root: top, mounted: [], notMounted: [], apart: [] };
  await mountOne(context, root, top, 0);
  const inside =
    system.deployment === ''
      ? top
      : await resolveInside(session.host.files, top, `/${system.deployment}`);
  if (inside === null)
    throw new RescueError({ code: 'NO_SYSTEM', message: 'The deployment is gone.' });
  const results: PlannedMount[] = [];
  for (const mount of others) {
    results.push(await mountBelow(context, inside, mount, results));
  }
  const isMounted = (mount: PlannedMount) => mount.state === 'mount';
  return {
    root: inside,
    mounted: [root, ...results.filter(isMounted)],
    notMounted: results.filter((mount) => !isMounted(mount)),
    apart: options.apart
      ? results.flatMap((mount, index) =>
          isMounted(mount) ? [partBind(session, mount, index)] : [],
        )
      : [],
  };
};

/** Mounts further parts of a system that is mounted already, in their order. */
export const mountParts = async (
  session: Session,
  root: string,
  parts: readonly PlannedMount[],
  options: Omit<MountOptions, 'apart'>,
): Promise<readonly PlannedMount[]> => {
  const context: Context = { session, ...options, apart: false };
  const results: PlannedMount[] = [];
  for (const part of parts) {
    // The layers of the parts that were mounted first have numbers.
    const name = encodeURIComponent(part.target);
    results.push(await mountBelow(context, root, part, results, name));
  }
  return results;
};

const partBind = (session: Session, mount: PlannedMount, index: number): BindMount => ({
  source: `${session.runDirectory}/part/${index + 1}`,
  destination: mount.target,
  readOnly: false,
  mapOwners: true,
});

/**
 * What a hook has mounted is used where it is, so that what it has mounted below is there, too. Only
 * a throwaway copy and a read-only look get a place of their own, without what is mounted below.
 */
const mountHookRoot = async (
  session: Session,
  path: string,
  mode: SystemMode,
  layers?: string,
): Promise<MountedSystem> =>
  mode === 'write'
    ? { root: path, mounted: [], notMounted: [], apart: [] }
    : mountDirectory(session, { path }, mode, layers);

/** Shows a directory tree in the session's private directory, with a layer over it if wanted. */
export const mountDirectory = async (
  session: Session,
  target: Pick<Target, 'path'>,
  mode: SystemMode,
  layers?: string,
): Promise<MountedSystem> => {
  const root = await ensureDirectory(session, `${session.runDirectory}/root`);
  if (mode === 'ephemeral') {
    const kept = layers === undefined ? {} : { layers };
    await layOver({ session, mode, setuid: true, apart: false, ...kept }, target.path, root, 0);
  } else {
    await session.perform(bindStep(target.path, root, mode === 'read-only'));
  }
  return { root, mounted: [], notMounted: [], apart: [] };
};
