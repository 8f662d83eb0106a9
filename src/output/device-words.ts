import { type Device, memberTypes, shortName } from '../devices/device.ts';
import { plainText } from '../host/plain-text.ts';
import { stackWords } from './stack-words.ts';

/** What a person calls a signature; file systems are known by their own name. */
const signatures: Readonly<Record<string, string>> = {
  LVM2_member: 'LVM physical volume',
  linux_raid_member: 'RAID member',
  crypto_LUKS: 'LUKS (encrypted)',
  BitLocker: 'BitLocker (encrypted)',
  mpath_member: 'multipath path',
  zfs_member: 'ZFS member',
  ambiguous: 'several signatures, cannot tell',
};

/** GPT type GUIDs (UEFI and the Discoverable Partitions Specification) and MBR type bytes. */
const partitionTypes: Readonly<Record<string, string>> = {
  '21686148-6449-6e6f-744e-656564454649': 'BIOS boot',
  'c12a7328-f81f-11d2-ba4b-00a0c93ec93b': 'EFI system',
  '9e1a2d38-c612-4316-aa26-8b49521e5a8b': 'PReP boot',
  'e3c9e316-0b5c-4db8-817d-f92df00215ae': 'Microsoft reserved',
  '0657fd6d-a4ab-43c4-84e5-0933c84b4f4f': 'Linux swap',
  'e6d6d379-f507-44c2-a23c-238f2a3df928': 'Linux LVM',
  'a19d880f-05fc-4d3b-a006-743f0f84911e': 'Linux RAID',
  '0x5': 'extended',
  '0xf': 'extended',
  '0x85': 'extended',
  '0x41': 'PReP boot',
  '0x82': 'Linux swap',
  '0x8e': 'Linux LVM',
  '0xef': 'EFI system',
  '0xfd': 'Linux RAID',
};

const quoted = (text: string | null): readonly string[] => {
  const plain = text === null ? '' : plainText(text);
  return plain === '' ? [] : [`"${plain}"`];
};

const empty = (device: Device): string => {
  const type = device.partition?.type ?? null;
  return (
    (type === null ? undefined : partitionTypes[type]) ??
    (device.kind === 'partition' ? 'no file system found' : 'nothing found on it')
  );
};

/** What is on the device: signature and label, or the empty table, or what it is meant for. */
export const contentWords = (device: Device): readonly string[] => {
  const { content, state } = stackWords(device);
  return [...(content === null ? [] : [content]), ...signatureWords(device, content), ...state];
};

const signatureWords = (device: Device, content: string | null): readonly string[] => {
  if (device.fsType !== null) {
    // The array or group has been named, with more than the signature tells.
    if (content !== null && memberTypes.has(device.fsType)) return [];
    return [signatures[device.fsType] ?? plainText(device.fsType), ...quoted(device.label)];
  }
  if (device.children.length > 0 || content !== null) return [];
  return device.partitionTable === null
    ? [empty(device)]
    : [
        `${device.partitionTable === 'dos' ? 'MBR' : device.partitionTable.toUpperCase()} without partitions`,
      ];
};

/** The disk itself: bus, model, and the name by which the cloud or the label on the case knows it. */
export const hardwareWords = (device: Device): readonly string[] =>
  [
    device.transport,
    device.model,
    device.volumeId ?? (device.serial === null ? null : `serial ${device.serial}`),
    device.backingFile,
  ].flatMap((word) => (word === null ? [] : [plainText(word)]));

/** `vg0-root` for a mapping, else the kernel's name. */
export const shownName = (device: Device): string => plainText(shortName(device));
