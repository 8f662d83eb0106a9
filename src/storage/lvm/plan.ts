import { flattenDevice } from '../../devices/device.ts';
import type { Need } from '../layer.ts';
import { type ActivationMode, isPlainSystemId } from './activation.ts';
import { uncopyable } from './cover.ts';
import { type GroupInstance, shownDevice } from './group-instance.ts';
import { mapperUuid } from './names.ts';
import type { LvmGroup, LvmLv } from './report.ts';
import type { Presence } from './taken.ts';
import { canDoWithout, usableVolumes } from './volumes.ts';

/** One thing to be activated: volumes of one group that need the same consent. */
export type Part = {
  readonly rank: 0 | 1 | 2;
  readonly mode: ActivationMode;
  readonly volumes: readonly LvmLv[];
  readonly need: Need;
};

const idOf = (group: LvmGroup, volume: LvmLv): string => mapperUuid(group.uuid, volume.uuid);

const impossible = (why: string): Need => ({ kind: 'impossible', why });

/** Why the group's own names cannot be used in this session, or null. */
export const privateReason = (
  { group }: GroupInstance,
  { takenBy }: Presence,
  isReserved: boolean,
): string | null => {
  const [first] = takenBy;
  if (first !== undefined) return `the name ${first.name} is taken on this machine`;
  if (isReserved) return 'two groups of this name are attached';
  return group.exported ? 'it is exported' : null;
};

const privateObstacle = (instance: GroupInstance, presence: Presence): string | null => {
  const { group, nodes, missing } = instance;
  if (missing.length > 0) return 'a disk of it is missing, and only a whole group can be renamed';
  if (presence.active.size > 0) return 'a part of it is active already';
  const mapped = new Map(nodes.map((node) => [shownDevice(node).majorMinor, node]));
  const problems = group.pvs.map((pv) =>
    mapped.has(pv.majorMinor) ? uncopyable(group, pv) : null,
  );
  return problems.find((why) => why !== null) ?? null;
};

/** Why nothing of the group can be opened at all, or null. */
const obstacle = (
  instance: GroupInstance,
  presence: Presence,
  reason: string | null,
  isCovered: boolean,
): string | null => {
  const { group, nodes, ambiguous } = instance;
  if (ambiguous !== null) return `${ambiguous}. Detach all but one set, or name one set alone.`;
  if (group.shared) return 'It is shared by a cluster, whose lock manager decides who opens it.';
  if (!isPlainSystemId(group.systemId)) return 'Its system id has characters that LVM forbids.';
  if (reason === null) {
    // A view of a disk under volumes that are active already would have two masters.
    const late =
      isCovered && presence.active.size > 0 && nodes.every(({ cover }) => cover === null);
    return late
      ? 'A part of it is active on this machine, and to open the rest would write to the disk.'
      : null;
  }
  const why = privateObstacle(instance, presence);
  return why === null ? null : `It needs another name, for ${reason}; but ${why}.`;
};

const missingWords = ({ missing }: GroupInstance): string =>
  missing.length === 1
    ? `Its physical volume ${missing[0]?.uuid} is missing`
    : `${missing.length} of its physical volumes are missing`;

const namesOf = (volumes: readonly LvmLv[]): string => volumes.map(({ name }) => name).join(', ');

const degradedNeed = (instance: GroupInstance, volumes: readonly LvmLv[]): Need => ({
  kind: 'consent',
  consent: 'degraded',
  why: `${missingWords(instance)}. ${namesOf(volumes)} can do without: all data are there, on one disk fewer.`,
});

const partialNeed = (instance: GroupInstance, volumes: readonly LvmLv[]): Need => ({
  kind: 'consent',
  consent: 'partial',
  why: `${missingWords(instance)}. Parts of ${namesOf(volumes)} lay there: reading them gives errors.`,
});

/** What can be activated of a group now; what is active is left out. */
export const partsOf = (
  instance: GroupInstance,
  presence: Presence,
  reason: string | null,
  isCovered: boolean,
): readonly Part[] => {
  const { group } = instance;
  const closed = usableVolumes(group).filter((lv) => !presence.active.has(idOf(group, lv)));
  const stop = obstacle(instance, presence, reason, isCovered);
  const complete = closed.filter(({ partial }) => !partial);
  const degraded = closed.filter((lv) => lv.partial && canDoWithout(group, lv));
  const broken = closed.filter((lv) => !canDoWithout(group, lv));
  const parts: readonly Part[] = [
    { rank: 0, mode: 'complete', volumes: complete, need: { kind: 'nothing' } },
    { rank: 1, mode: 'degraded', volumes: degraded, need: degradedNeed(instance, degraded) },
    { rank: 2, mode: 'partial', volumes: broken, need: partialNeed(instance, broken) },
  ];
  const open = parts.filter(({ volumes }) => volumes.length > 0);
  return stop === null
    ? open
    : open.slice(0, 1).map((part) => ({ ...part, need: impossible(stop) }));
};

/** The group as a person knows it, with what stands in its way. */
export const describeGroup = ({ group, nodes, missing }: GroupInstance): string => {
  const all = nodes.length + missing.length;
  const disks =
    missing.length > 0
      ? `${nodes.length} of ${all} physical volumes`
      : `${all} physical volume${all === 1 ? '' : 's'}`;
  const extra = [
    ...(group.exported ? ['exported'] : []),
    ...(group.systemId === '' ? [] : [`of the system ${group.systemId}`]),
  ];
  return `the volume group ${group.name} (${[disks, ...extra].join(', ')})`;
};

/** Whether the tree was read before these volumes became active. */
export const isBehind = ({ nodes }: GroupInstance, presence: Presence): boolean => {
  const shown = new Set(
    nodes.flatMap(({ device }) => flattenDevice(device).flatMap(({ aliases }) => aliases)),
  );
  return [...presence.active].some((uuid) => !shown.has(`/dev/disk/by-id/dm-uuid-${uuid}`));
};
