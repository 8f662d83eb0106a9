import { type Device, memberTypes, type Stack } from '../devices/device.ts';
import { plainText } from '../host/plain-text.ts';

const counted = ({ present, expected }: Stack, noun: string): string =>
  present === null || expected === null ? '' : ` ${present} of ${expected}${noun}`;

const isWhole = ({ present, expected }: Stack): boolean =>
  present === null || expected === null || present >= expected;

/** State in the words of the tools: `degraded 1 of 2`. What is whole and open needs no word. */
const stateWords = (stack: Stack): readonly string[] => {
  switch (stack.state) {
    case 'active':
      return isWhole(stack) ? [] : [`degraded${counted(stack, '')}`];
    case 'inactive':
      return isWhole(stack) ? ['not active'] : [`not active, ${counted(stack, '').trim()}`];
    case 'locked':
      return ['locked'];
    case 'degraded':
      return [`degraded${counted(stack, '')}`];
    case 'partial':
      return [`partial${counted(stack, stack.layer === 'lvm' ? ' disks' : '')}`];
    case 'stale':
      return ['stale'];
    case 'exported':
      return ['exported'];
  }
};

const named = (text: string, name: string | null): string =>
  name === null || name === '' ? text : `${text} → ${plainText(name)}`;

const levelled = (text: string, type: string | null): string =>
  type === null ? text : `${text} (${plainText(type)})`;

/** What a member belongs to, or what an active node is; null where its signature says it all. */
const ownWord = (device: Device, stack: Stack): string | null => {
  const isMember = memberTypes.has(device.fsType ?? '');
  switch (stack.layer) {
    case 'md':
      return isMember
        ? levelled(named('RAID member', stack.name), stack.type)
        : plainText(stack.type ?? 'RAID');
    case 'lvm':
      return isMember
        ? named('LVM PV', stack.name)
        : stack.type === null || stack.type === 'linear'
          ? null
          : plainText(stack.type);
    case 'luks':
      return isMember ? `${plainText(stack.type ?? 'LUKS')} (encrypted)` : null;
    case 'btrfs':
    case 'multipath':
    case 'mapper':
      return null;
  }
};

export type StackWords = {
  /** In place of the signature; null when that stays. */
  readonly content: string | null;
  /** Behind it: state, and what it is a duplicate of. */
  readonly state: readonly string[];
};

/** The part of the storage stack that a device is, as a person reads it. */
export const stackWords = (device: Device): StackWords => {
  const { stack, duplicateOf } = device;
  const duplicate = duplicateOf === null ? [] : [`duplicate of ${plainText(duplicateOf)}`];
  if (stack === null) return { content: null, state: duplicate };
  return { content: ownWord(device, stack), state: [...stateWords(stack), ...duplicate] };
};
