import { canRun } from './can-run.ts';
import type { Member } from './examine.ts';

/** Devices that claim one and the same place: copies of each other, of which one must be chosen. */
export type Copies = { readonly slot: number; readonly devices: readonly string[] };

/** What is to be made an array, and what is known against it. */
export type Choice = {
  /** The superblock that is up to date. */
  readonly newest: Member;
  /** In the order of their slots, then spares. */
  readonly members: readonly Member[];
  /** Members with a slot, and slots. */
  readonly present: number;
  readonly expected: number;
  /** Out of date: the array went on without them. */
  readonly stale: readonly Member[];
  readonly copies: readonly Copies[];
  readonly state: 'complete' | 'degraded' | 'impossible';
};

const slotOf = ({ role }: Member): number | null => (role.kind === 'active' ? role.slot : null);

const highest = (members: readonly Member[]): number =>
  Math.max(...members.map(({ events }) => events));

/**
 * A member may be one event behind: the others noted a change and the power went before it did. So
 * mdadm has it (Assemble.c: `events+1 >= most_recent`).
 */
const isFresh = (member: Member, newest: number): boolean => member.events + 1 >= newest;

const freshOf = (members: readonly Member[]): readonly Member[] => {
  const newest = highest(members);
  return members.filter((member) => isFresh(member, newest));
};

type Pick = { readonly member: Member | null; readonly copies: Copies | null };

/**
 * Of the original and a copy that was used since, the one that agrees with the target's own disks is
 * meant, even when the other one is newer.
 */
const agreeing = (members: readonly Member[], { events }: Member): readonly Member[] => {
  const same = members.filter((member) => Math.abs(member.events - events) <= 1);
  return same.length > 0 ? same : freshOf(members);
};

/** The device for one slot: one of the target's own, else the only free one that claims it. */
const pickSlot = (
  slot: number,
  ours: readonly Member[],
  free: readonly Member[],
  current: Member,
): Pick => {
  const claims = (members: readonly Member[]) => members.filter((one) => slotOf(one) === slot);
  const own = freshOf(claims(ours));
  const candidates = own.length > 0 ? own : agreeing(claims(free), current);
  const [member = null, second] = candidates;
  if (second === undefined) return { member, copies: null };
  return { member: null, copies: { slot, devices: candidates.map(({ device }) => device) } };
};

/**
 * Chooses the members of one array. A slot that two devices claim is filled by none of them: they
 * are copies, and which one is meant only the person knows.
 *
 * @param ours members on the target's disks; at least one.
 * @param free members of the same array on other disks.
 */
export const chooseMembers = (ours: readonly Member[], free: readonly Member[]): Choice | null => {
  const [first] = ours;
  if (first === undefined) return null;
  const current = freshOf(ours)[0] ?? first;
  const slots = Array.from({ length: current.raidDevices }, (_, slot) => slot);
  const picks = slots.map((slot) => pickSlot(slot, ours, free, current));
  const picked = picks.flatMap(({ member }) => member ?? []);
  const newest = picked.find(({ events }) => events === highest(picked)) ?? current;
  const active = picked.filter((member) => isFresh(member, newest.events));
  const spares = ours.filter((member) => slotOf(member) === null);
  const copies = picks.flatMap((pick) => pick.copies ?? []);
  const named = new Set([...active, ...spares].map(({ device }) => device));
  const doubtful = new Set(copies.flatMap(({ devices }) => devices));
  const taken = new Set(active.flatMap((member) => slotOf(member) ?? []));
  const complete = taken.size === newest.raidDevices;
  return {
    newest,
    members: [...active, ...spares],
    present: taken.size,
    expected: newest.raidDevices,
    stale: [...new Set([...ours, ...picked])].filter(
      ({ device }) => !named.has(device) && !doubtful.has(device),
    ),
    copies,
    state: complete ? 'complete' : canRun(newest, taken) ? 'degraded' : 'impossible',
  };
};
