import { type Device, nodeOf } from '../../devices/device.ts';
import type { LuksHeader } from '../layer.ts';

/** GRUB's own partition on GPT has no signature and is no encrypted volume. */
const biosBoot = '21686148-6449-6e6f-744e-656564454649';

/** Smaller than the smallest container that anybody makes: gaps between partitions, BIOS boot. */
const smallestBytes = 4 * 1024 * 1024;

/** Whether it can be an encrypted volume whose header lies elsewhere: it shows nothing at all. */
const isBlank = ({ fsType, partitionTable, partition, children, sizeBytes }: Device): boolean =>
  fsType === null &&
  partitionTable === null &&
  children.length === 0 &&
  sizeBytes >= smallestBytes &&
  partition?.type?.toLowerCase() !== biosBoot &&
  // The container of logical partitions.
  !['0x5', '0xf', '0x85'].includes(partition?.type ?? '');

const isNamed = (device: Device, name: string): boolean =>
  [device.path, nodeOf(device), ...device.aliases].includes(name) ||
  // A partition of an image: its loop device is another one each time.
  device.name.replace(/^loop\d+(?=p\d)/, '') === name;

/** A detached header with the device that it opens, or with the reason why there is none. */
export type MatchedHeader =
  | { readonly header: LuksHeader; readonly device: Device }
  | { readonly header: LuksHeader; readonly device: null; readonly why: string };

const matchOne = (devices: readonly Device[], header: LuksHeader): MatchedHeader | null => {
  const closed = devices.filter(({ path, children }) => path !== null && children.length === 0);
  if (header.device !== null) {
    const name = header.device;
    // It may come up later, on an array that is not assembled yet.
    const device = closed.find((one) => isNamed(one, name));
    return device === undefined ? null : { header, device };
  }
  const [device, ...others] = closed.filter(isBlank);
  if (device === undefined) return null;
  if (others.length === 0) return { header, device };
  const names = [device, ...others].map((one) => nodeOf(one)).join(', ');
  return {
    header,
    device: null,
    why: `Several devices show no signature (${names}): say which with --luks-header DEVICE=FILE.`,
  };
};

/** Which of the devices each header belongs to; a header whose device is not there yet is left out. */
export const matchHeaders = (
  devices: readonly Device[],
  headers: readonly LuksHeader[],
): readonly MatchedHeader[] => headers.flatMap((header) => matchOne(devices, header) ?? []);
