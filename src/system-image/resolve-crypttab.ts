import type { Device } from '../devices/device.ts';
import { plainText } from '../host/plain-text.ts';
import type { Resolution } from './resolve-spec.ts';
import type { CrypttabEntry } from './system-facts.ts';

const otherKinds: Readonly<Record<Exclude<CrypttabEntry['kind'], 'luks'>, string>> = {
  plain: 'plain dm-crypt, which has no header and is not opened here',
  bitlocker: 'BitLocker, which is not opened here',
  tcrypt: 'a TrueCrypt volume, which is not opened here',
};

/** The open volume on a container; null while it is closed. */
export const openVolumeOn = (container: Device): Device | null =>
  container.children.find(({ kind }) => kind === 'luks') ?? null;

/**
 * What `/dev/mapper/NAME` of a crypttab line is, from where its container was found.
 *
 * @param container how the second field of the line was resolved.
 */
export const resolveMapping = (entry: CrypttabEntry, container: Resolution): Resolution => {
  const name = plainText(entry.name);
  const table = entry.line === 0 ? 'the command line' : 'crypttab';
  if (entry.kind !== 'luks') {
    return { kind: 'missing', reason: `crypttab says that ${name} is ${otherKinds[entry.kind]}` };
  }
  if (container.kind === 'missing') {
    return { kind: 'missing', reason: `${container.reason}, where ${table} has ${name}` };
  }
  if (container.kind !== 'found') return container;
  const device = openVolumeOn(container.device);
  if (device !== null) return { ...container, device };
  const key =
    entry.keyFile === null ? '' : ` (its key file in the system is ${plainText(entry.keyFile)})`;
  const reason = `it is in the encrypted volume ${container.device.path}, which is not open${key}`;
  return { kind: 'missing', reason };
};
