import { z } from 'zod';
import type { Host } from '../../host/host.ts';
import { plainText } from '../../host/plain-text.ts';

/** Place in the array that a member's own superblock claims. */
export type Role =
  | { readonly kind: 'active'; readonly slot: number }
  /** Spare, journal, replacement, or kicked out: nothing of the array is missing without it. */
  | { readonly kind: 'other' };

const integer = z.string().regex(/^\d+/).transform(Number.parseFloat).pipe(z.int());
const uuid = z.string().regex(/^[0-9a-f]{8}(?::[0-9a-f]{8}){3}/i);
const shownUuid = uuid.transform((text) => text.slice(0, 35).toLowerCase());

/** Labels of `mdadm --examine`; version 0.90 has `UUID` and a table in place of some of 1.x. */
const superblockSchema = z.object({
  Version: z.string(),
  'Array UUID': shownUuid.optional(),
  UUID: shownUuid.optional(),
  Name: z.string().optional(),
  'Raid Level': z.string(),
  'Raid Devices': integer,
  Layout: z.string().optional(),
  'Device UUID': shownUuid.optional(),
  // Very old versions write `0.17`, the 64-bit counter in two halves.
  Events: z.string().transform((text) => Number(/(\d+)$/.exec(text)?.[1] ?? 0)),
  'Device Role': z.string().optional(),
  'Array State': z.string().optional(),
  'Preferred Minor': integer.optional(),
});

type Superblock = z.infer<typeof superblockSchema>;

/** One device that is part of an array, as its superblock says. */
export type Member = {
  readonly device: string;
  /** Eight hex digits four times with colons, as mdadm writes it. */
  readonly arrayUuid: string;
  /** `HOST:NAME` or `NAME`; null with metadata 0.90. */
  readonly name: string | null;
  /** `raid1`, `linear`, … */
  readonly level: string;
  readonly raidDevices: number;
  /** Copies of each chunk on neighbours, and copies further away; RAID10 only. */
  readonly copies: { readonly near: number; readonly far: number } | null;
  readonly deviceUuid: string | null;
  /** Counts changes of the array's state: the highest one is up to date. */
  readonly events: number;
  readonly role: Role;
  /** Slots that were missing when this superblock was written; empty when it does not tell. */
  readonly missingBefore: readonly number[];
  /** N of /dev/mdN, metadata 0.90 only. */
  readonly preferredMinor: number | null;
};

const fieldsOf = (text: string): Readonly<Record<string, string>> => {
  const fields: Record<string, string> = {};
  for (const [, label, value] of text.matchAll(/^ *([A-Z][A-Za-z ]*?) : (.*)$/gm)) {
    // The first one counts: a name from the disk could hold a line of its own.
    if (label !== undefined && value !== undefined) fields[label] ??= value.trim();
  }
  return fields;
};

const slotRole = (slot: string | undefined): Role =>
  slot === undefined ? { kind: 'other' } : { kind: 'active', slot: Number(slot) };

/** The table of 0.90 has the member itself in the line `this`: number, major, minor, slot, state. */
const roleOf = (superblock: Superblock, text: string): Role => {
  const role = superblock['Device Role'];
  if (role !== undefined) return slotRole(/^Active device (\d+)/.exec(role)?.[1]);
  return slotRole(/^this +\d+ +\d+ +\d+ +(\d+) +active\b/m.exec(text)?.[1]);
};

const copiesOf = (layout: string | undefined): Member['copies'] => {
  const count = (word: RegExp) => Number(word.exec(layout ?? '')?.[1] ?? 1);
  const near = count(/near=(\d+)/);
  const far = count(/(?:far|offset)=(\d+)/);
  return near * far > 1 ? { near, far } : null;
};

const missingSlots = (state: string | undefined): readonly number[] =>
  [...(/^[A.R]+/.exec(state ?? '')?.[0] ?? '')].flatMap((mark, slot) =>
    mark === '.' ? [slot] : [],
  );

/**
 * Parses `mdadm --examine DEVICE`. `--export` would be easier to parse and lacks the role of the
 * device, without which nothing can be said about what is missing.
 *
 * @returns Null for a device without a superblock of md's own formats.
 */
export const parseExamine = (device: string, text: string): Member | null => {
  const parsed = superblockSchema.safeParse(fieldsOf(text));
  if (!parsed.success) return null;
  const superblock = parsed.data;
  const arrayUuid = superblock['Array UUID'] ?? superblock.UUID;
  if (arrayUuid === undefined) return null;
  const name = superblock.Name?.replace(/ +\(local to host .*\)$/, '');
  return {
    device,
    arrayUuid,
    name: name === undefined ? null : plainText(name),
    level: plainText(superblock['Raid Level']),
    raidDevices: superblock['Raid Devices'],
    copies: copiesOf(superblock.Layout),
    deviceUuid: superblock['Device UUID'] ?? null,
    events: superblock.Events,
    role: roleOf(superblock, text),
    missingBefore: missingSlots(superblock['Array State']),
    preferredMinor: superblock['Preferred Minor'] ?? null,
  };
};

/** What the superblock of a device says; null when there is none. Reads only. */
export const examine = async (host: Host, device: string): Promise<Member | null> => {
  const { exitCode, stdout } = await host.run({
    program: 'mdadm',
    args: ['--examine', device],
    // 1: no superblock, or it cannot be read.
    accept: [0, 1],
    changes: false,
  });
  return exitCode === 0 ? parseExamine(device, stdout) : null;
};
