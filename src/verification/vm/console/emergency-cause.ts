import { type Before, because, lastWith } from './before.ts';

/** `[ TIME ] Timed out waiting for device X`, `[FAILED] Failed to mount X`, without the mark. */
export const troubleLine = /^\[(?:FAILED| ?TIME ?)\] (.*?)\.?$/;
const localFileSystems = /^\[DEPEND\] Dependency failed for .*(?:local-fs|Local File Systems)/;

/** systemd cuts long lines in their middle, and with them its own colours. */
const cutColour = /(?:\d+;)+\d*(?=…)/;
const dependent = /^\[DEPEND\] Dependency failed for (?:\S+\.mount - )?(\/\S*?)\.?$/;

/**
 * The trouble that stopped the boot: the nearest one before the local file systems were given up,
 * because others that fail are not required by them. Of a device what needs it is told.
 */
const emergencyReason = (before: Before): string | null => {
  const given = before.findIndex((line) => localFileSystems.test(line));
  const until = given < 0 ? before : before.slice(0, given);
  const reason = lastWith(until, troubleLine)?.replace(cutColour, '') ?? null;
  const mount = reason?.startsWith('Timed out waiting') ? lastWith(until, dependent) : null;
  return mount === null ? reason : `${reason} (${mount} needs it)`;
};

/** Why systemd is in emergency or rescue mode, in words. */
export const emergencyCause = (_: RegExpExecArray, before: Before): string => {
  const reason = emergencyReason(before) ?? lastWith(before, /(Unit default\.target not found)/);
  const rescue = before.some((line) => /You are in rescue mode|target rescue\.target/.test(line));
  const locked = before.some((line) => /root account is locked/.test(line));
  const shell = locked ? ', whose shell is closed because root has no password' : '';
  return `systemd stopped in ${rescue ? 'rescue' : 'emergency'} mode${shell}${because(reason)}.`;
};
