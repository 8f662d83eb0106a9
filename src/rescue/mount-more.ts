import { flattenDevice } from '../devices/device.ts';
import { ownDisks } from '../diagnosis/own-disks.ts';
import type { CheckResult } from '../filesystems/file-system.ts';
import type { SystemFacts } from '../system-image/system-facts.ts';
import { checkFileSystems, checkTargetsOf, isDamaged, noLastResorts } from './check-system.ts';
import { type PlannedMount, planMounts } from './mount-plan.ts';
import { type MountedSystem, type MountOptions, mountParts, noMountPoint } from './mount-system.ts';
import type { Observer } from './observer.ts';
import type { Session } from './session.ts';
import type { FoundSystem } from './survey.ts';

type Grown = {
  readonly mounted: MountedSystem;
  /** Checks of the file systems that came along. */
  readonly checks: readonly CheckResult[];
};

const isMounted = ({ state }: PlannedMount): boolean => state === 'mount';

const unchecked = (part: PlannedMount): PlannedMount => ({
  ...part,
  state: 'skipped',
  note: 'its file system has damage: check it first (rescuekit check --repair)',
});

/**
 * Mounts what fstab names by now and did not when the system was mounted: behind a mended line may be
 * a /boot into which nobody has looked yet. Only on the disks that the system is mounted from. A part
 * with damage stays as it is.
 *
 * @param facts of the system as it is now.
 * @returns null when there is nothing to add.
 */
export const mountMore = async (
  session: Session,
  { system, mounted }: { readonly system: FoundSystem; readonly mounted: MountedSystem },
  facts: Pick<SystemFacts, 'fstab' | 'arrays' | 'crypttab'>,
  options: Omit<MountOptions, 'apart' | 'layers'> & { readonly skipCheck: boolean },
  observer: Observer,
): Promise<Grown | null> => {
  if (system.place === null) return null;
  const { device, disk, disks } = system.place;
  // Other disks have no layer in a rehearsal, and nobody has locked them.
  const own = new Set(
    ownDisks({ mounts: mounted.mounted }, { disk, disks, root: device })
      .flatMap(flattenDevice)
      .flatMap(({ path, aliases }) => [path, ...aliases]),
  );
  const known = new Set(mounted.mounted.map(({ target }) => target));
  // What failed is not tried again, unless what it lacked was a directory.
  const tried = new Set(
    mounted.notMounted.flatMap(({ target, spec, note }) =>
      note === noMountPoint ? [] : [`${target} ${spec}`],
    ),
  );
  const parts = planMounts(facts.fstab, system.place, facts.arrays, facts.crypttab).filter(
    (part) =>
      isMounted(part) &&
      own.has(part.device) &&
      !known.has(part.target) &&
      !tried.has(`${part.target} ${part.spec}`),
  );
  if (parts.length === 0) return null;
  const settings = { repair: false, lastResorts: noLastResorts };
  const targets = checkTargetsOf({ ...system, mounts: parts });
  const checks = options.skipCheck
    ? []
    : await checkFileSystems(session, targets, settings, observer);
  const damaged = new Set(checks.filter(isDamaged).map(({ device }) => device));
  const safe = parts.map((part) =>
    part.device !== null && damaged.has(part.device) ? unchecked(part) : part,
  );
  const results = await observer.task(
    `Mount ${parts.map(({ target }) => target).join(', ')}, which fstab names now`,
    () => mountParts(session, mounted.root, safe, options),
  );
  const others = mounted.notMounted.filter(
    ({ target }) => !results.some((part) => part.target === target),
  );
  return {
    mounted: {
      ...mounted,
      mounted: [...mounted.mounted, ...results.filter(isMounted)],
      notMounted: [...others, ...results.filter((part) => !isMounted(part))],
    },
    checks,
  };
};
