import { checkTargetsOf, checkTargetsOn } from '../rescue/check-system.ts';
import { systemName } from '../rescue/choose-system.ts';
import type { FoundSystem } from '../rescue/survey.ts';
import { damagedOnes } from './check-lines.ts';
import { bootStep } from './step-boot.ts';
import { type Checked, checkStep } from './step-check.ts';
import { diagnoseStep } from './step-diagnose.ts';
import { chooseFound, type Found, lookAt } from './step-look.ts';
import { askMode, mountStep } from './step-mount.ts';
import { callName, type Walk, type WalkRecord } from './walk.ts';

const nothingDone: WalkRecord = {
  system: null,
  checks: [],
  mended: 0,
  mounted: null,
  boot: null,
  otherDisk: false,
  rehearse: false,
};

const systemOf = (found: Found): FoundSystem | null =>
  found.kind === 'system' ? found.system : null;

const check = (walk: Walk, system: FoundSystem | null): Promise<Checked> => {
  const onDisk = walk.attached === null ? [] : checkTargetsOn(walk.attached);
  const targets = system === null ? onDisk : checkTargetsOf(system);
  return checkStep(walk, targets, callName(system, walk.target));
};

const mountAndBoot = async (
  walk: Walk,
  system: FoundSystem,
  record: WalkRecord,
): Promise<WalkRecord> => {
  const mode = await askMode(walk, damagedOnes(record.checks).length > 0);
  if (mode === 'leave') return record;
  if (mode === 'rehearse') return { ...record, rehearse: true };
  const where = await mountStep(walk, system, mode);
  if (where === null) return record;
  const boot = await bootStep(walk, system, where, mode);
  return { ...record, mounted: { where, mode }, boot };
};

/** Finds out and mends; then reads again what is on it, for fstab may be another one now. */
const diagnoseAndGoOn = async (
  walk: Walk,
  system: FoundSystem,
  record: WalkRecord,
): Promise<WalkRecord> => {
  const mayWrite = walk.writable && damagedOnes(record.checks).length === 0;
  const { mended, leave } = await diagnoseStep(walk, system, record.checks, mayWrite);
  const now = { ...record, mended };
  if (leave) return now;
  if (mended === 0) return mountAndBoot(walk, system, now);
  const after = systemOf(await chooseFound(walk, await lookAt(walk), systemName(system)));
  return after === null ? now : mountAndBoot(walk, after, { ...now, system: after });
};

/**
 * The walk over one target: look, check, repair, diagnose, mount, boot. Taking down is the session's, also
 * when a step throws.
 */
export const walkThrough = async (walk: Walk): Promise<WalkRecord> => {
  const found = await chooseFound(walk, await lookAt(walk), null);
  if (found.kind === 'leave') return nothingDone;
  if (found.kind === 'other') return { ...nothingDone, system: found.system, otherDisk: true };
  const before = systemOf(found);
  const checked = await check(walk, before);
  const record = { ...nothingDone, system: before, checks: checked.results };
  if (checked.leave || (before === null && !checked.repaired)) return record;
  if (!checked.repaired && before !== null) return diagnoseAndGoOn(walk, before, record);
  // The journal has been replayed and the rest mended: fstab may be another one now.
  const wanted = before === null ? null : systemName(before);
  const after = systemOf(await chooseFound(walk, await lookAt(walk), wanted));
  return after === null ? record : diagnoseAndGoOn(walk, after, { ...record, system: after });
};
