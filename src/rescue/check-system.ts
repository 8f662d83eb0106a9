import { nodeOf } from '../devices/device.ts';
import type {
  BtrfsParts,
  CheckProgress,
  CheckResult,
  FileSystem,
  LastResorts,
} from '../filesystems/file-system.ts';
import { isLostExt } from '../filesystems/lost-ext.ts';
import { fileSystemFor, skippedResult } from '../filesystems/registry.ts';
import { RescueError } from '../host/rescue-error.ts';
import type { AttachedTarget } from './attach.ts';
import { btrfsMount, volumeOn, volumesOf } from './btrfs-volumes.ts';
import { withCheckHooks } from './hook-phases.ts';
import type { Observer } from './observer.ts';
import { type EndFsck, intendFsck } from './record-fsck.ts';
import type { Session } from './session.ts';
import type { FoundSystem } from './survey.ts';

export type CheckOptions = {
  /** Mend what is wrong; without it not one byte is written. */
  readonly repair: boolean;
  readonly lastResorts: LastResorts;
};

export const noLastResorts: LastResorts = {
  zeroXfsLog: false,
  btrfsRepair: false,
  backupSuperblock: false,
};

/** A file system to be checked, once, however many times it is mounted. */
export type CheckTarget = {
  readonly device: string;
  readonly fsType: string;
  readonly btrfs?: BtrfsParts;
};

/** The file systems that belong to a system: those that its mounts stand on. */
export const checkTargetsOf = (system: FoundSystem): readonly CheckTarget[] => {
  const targets = system.mounts.flatMap(({ device, fsType, state, note, btrfs }) =>
    device !== null && (state === 'mount' || note === 'noauto')
      ? [{ device, fsType, ...(btrfs ? { btrfs } : {}) }]
      : [],
  );
  return [...new Map(targets.map((target) => [target.device, target])).values()];
};

/** Every file system on a disk, for a target on which no system was found. */
export const checkTargetsOn = ({ searched, stack }: AttachedTarget): readonly CheckTarget[] => {
  const volumes = volumesOf(stack.opened);
  const targets = searched.flatMap((device) => {
    const { fsType } = device;
    const volume = volumeOn(volumes, device);
    const node = volume?.device ?? nodeOf(device);
    if (node === null || fsType === null || fsType === 'swap') return [];
    return [{ device: node, fsType, ...btrfsMount(volume) }];
  });
  return [...new Map(targets.map((target) => [target.device, target])).values()];
};

/** Devices that look empty and still hold the backups of an ext file system's superblock. */
export const lostTargetsOn = async (
  session: Session,
  attached: AttachedTarget,
): Promise<readonly CheckTarget[]> => {
  const found = await Promise.all(
    attached.searched.map(async (device) =>
      device.path !== null && (await isLostExt(session.host, device))
        ? [{ device: nodeOf(device) ?? device.path, fsType: 'ext4' }]
        : [],
    ),
  );
  return found.flat();
};

/** The commands of a check as they are shown beforehand. */
export const checkLines = (
  targets: readonly CheckTarget[],
  repair: boolean,
): readonly (readonly string[])[] =>
  targets.flatMap(({ device, fsType }) => {
    const fileSystem = fileSystemFor(fsType);
    if (fileSystem === null) return [];
    return repair ? fileSystem.repairCommands(device) : fileSystem.checkCommands(device);
  });

const makeScratch = async (session: Session, device: string) => {
  // Copies of metadata can be large: they go to the state directory, not into memory.
  const path = `${session.directory}/scratch${device.replaceAll('/', '-')}`;
  const step = await session.intend('scratch directory', { kind: 'remove-scratch', path });
  await session.host.files.ensureDirectory(path, 0o700);
  return { path, step };
};

/** One file system before and after it was mended; the same where nothing was to be done. */
export type Checked = { readonly looked: CheckResult; readonly result: CheckResult };

const checkOne = async (
  session: Session,
  fileSystem: FileSystem,
  { device, fsType, btrfs }: CheckTarget,
  options: CheckOptions,
  onProgress: (progress: CheckProgress) => void,
): Promise<Checked> => {
  const scratch = await makeScratch(session, device);
  const context = {
    host: session.host,
    device,
    fsType,
    scratchDirectory: scratch.path,
    onProgress,
    signal: session.signal,
    ...(btrfs ? { btrfs } : {}),
  };
  try {
    const looked = await fileSystem.check(context);
    if (!options.repair || looked.outcome === 'clean') return { looked, result: looked };
    const keepDirectory = `${session.directory}/undo`;
    await session.host.files.ensureDirectory(keepDirectory, 0o700);
    const { lastResorts } = options;
    let ended: EndFsck = async () => {};
    const onUndoFile = async (undoFile: string): Promise<void> => {
      ended = await intendFsck(session, device, undoFile);
    };
    const result = await fileSystem.repair({ ...context, keepDirectory, lastResorts, onUndoFile });
    await ended(result.undoFile !== null);
    return { looked, result };
  } finally {
    await session.takeDown(scratch.step);
  }
};

/**
 * Checks file systems one after the other (one disk answers one checker fastest), and with
 * `repair` mends those that are not clean. Gives what was seen before as well.
 */
export const checkAndMend = (
  session: Session,
  targets: readonly CheckTarget[],
  options: CheckOptions,
  observer: Observer,
): Promise<readonly Checked[]> =>
  targets.length === 0
    ? Promise.resolve([])
    : withCheckHooks(session, () => checkEach(session, targets, options, observer));

/** The same, for whom only the end counts. */
export const checkFileSystems = async (
  ...args: Parameters<typeof checkAndMend>
): Promise<readonly CheckResult[]> => (await checkAndMend(...args)).map(({ result }) => result);

const checkEach = async (
  session: Session,
  targets: readonly CheckTarget[],
  options: CheckOptions,
  observer: Observer,
): Promise<readonly Checked[]> => {
  const all: Checked[] = [];
  for (const target of targets) {
    const fileSystem = fileSystemFor(target.fsType);
    if (fileSystem === null) {
      const result = skippedResult(target.device, target.fsType);
      all.push({ looked: result, result });
      continue;
    }
    const verb = options.repair ? 'Check and repair' : 'Check';
    const checked = await observer.task(
      `${verb} ${target.fsType} on ${target.device}`,
      (update) => checkOne(session, fileSystem, target, options, update),
      ({ result }) => `${target.device} ${target.fsType}: ${outcomeText(result)}`,
    );
    all.push(checked);
  }
  return all;
};

/** For the line of a task that has ended well: the check did, whatever it found. */
const outcomeText = (result: CheckResult): string => {
  if (result.outcome !== 'damaged') return result.outcome;
  return isOnlyDirty(result) ? 'not replayed, no damage' : 'checked, damage found';
};

/**
 * A file system with damage is not mounted: that could make it worse.
 *
 * @param more what else a person has to know then.
 * @throws RescueError `DAMAGED`
 */
export const requireMountable = (
  results: readonly CheckResult[],
  targetName: string,
  more = '',
): void => {
  const damaged = results.filter(isDamaged);
  if (damaged.length === 0) return;
  throw new RescueError({
    code: 'DAMAGED',
    message: `${damaged.map(({ device, detail }) => `${device}: ${detail}`).join(' ')}`,
    hint: `Nothing was mounted. Repair first (rescuekit check --repair ${targetName}), use --repair, or look with --ephemeral.${more}`,
  });
};

/** More than a journal that waits. */
export const isDamaged = (result: CheckResult): boolean =>
  result.outcome === 'damaged' && !isOnlyDirty(result);

/** Cut off while writing, and consistent once its journal is replayed, which any mount does. */
export const isOnlyDirty = (result: CheckResult): boolean =>
  result.needsReplay && result.evidence.length === 0;
