import { plainText } from '../../host/plain-text.ts';
import type { Check } from '../check.ts';
import type { Evidence, Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { droppable } from './droppable.ts';
import { largestEntries, mebibytes, mostInodes, usedLine, worthNaming } from './largest.ts';
import { type Place, spacePlaces } from './places.ts';

const mebibyte = 2 ** 20;

const isBoot = (target: string): boolean => ['/boot', '/boot/efi', '/efi'].includes(target);

/**
 * Not even root can write a log line any more; to /boot no kernel. ext4 keeps up to two parts in a
 * hundred back even from root and counts them as free (ext4_has_free_clusters).
 */
const isFull = ({ space, target }: Place): boolean =>
  space.sizeBytes > 0 &&
  space.freeBytes < Math.min(4 * mebibyte, space.sizeBytes / (isBoot(target) ? 10 : 100));

/** Only root can write: what runs under an account of its own cannot. */
const isFullForServices = ({ space }: Place): boolean =>
  space.sizeBytes > 0 && space.availableBytes < Math.min(4 * mebibyte, space.sizeBytes / 100);

const withoutInodes = ({ space }: Place): boolean => space.inodes > 0 && space.freeInodes < 16;

/** Where services write when they start, and logins leave their marks. */
const isVital = (target: string): boolean =>
  ['/', '/var', '/var/log', '/tmp', '/var/lib', '/home'].includes(target);

const roomEvidence = ({ space, target }: Place): Evidence => ({
  kind: 'command',
  command: `df ${plainText(target)}`,
  output: [
    `${mebibytes(space.sizeBytes)}, ${mebibytes(space.availableBytes)} free`,
    ...(space.freeBytes > space.availableBytes
      ? [`${mebibytes(space.freeBytes - space.availableBytes)} kept for root`]
      : []),
    ...(space.inodes > 0 ? [`${space.freeInodes} of ${space.inodes} inodes free`] : []),
  ].join('; '),
});

const usageEvidence = async (
  subject: Subject,
  place: Place,
  unit: 'bytes' | 'entries',
): Promise<Evidence> => {
  const all = await (unit === 'bytes' ? largestEntries : mostInodes)(subject, place);
  return {
    kind: 'command',
    command: `du ${unit === 'bytes' ? '--all' : '--inodes'} --one-file-system ${plainText(place.target)}`,
    output: worthNaming(all, 8)
      .map((used) => usedLine(used, unit))
      .join('\n'),
  };
};

const repairFor = async (subject: Subject, place: Place): Promise<string | null> =>
  (await droppable(subject, place)).length > 0 ? 'space.drop-logs' : null;

const fullMeaning = (target: string): string =>
  isVital(target)
    ? 'Services cannot write their files, sockets and logs and fail to start; logins fail, and a package upgrade breaks off in the middle.'
    : 'What writes there fails.';

const bytesFinding = async (subject: Subject, place: Place): Promise<Finding> => {
  const { target } = place;
  const boot = isBoot(target);
  const critical = !boot && isVital(target);
  return {
    id: boot ? 'space.boot-full' : target === '/' ? 'space.full-root' : 'space.full',
    severity: critical ? 'critical' : 'warning',
    title: isFull(place)
      ? `The file system of ${plainText(target)} is full.`
      : `The file system of ${plainText(target)} is full for everybody but root.`,
    subject: plainText(target),
    evidence: [roomEvidence(place), await usageEvidence(subject, place, 'bytes')],
    meaning: boot
      ? 'The system boots. The next kernel or initramfs cannot be written, or is cut off, and then it does not. Remove kernels that are no longer used with the package manager, never the one that boots.'
      : fullMeaning(target),
    repair: boot ? null : await repairFor(subject, place),
  };
};

const inodesFinding = async (subject: Subject, place: Place): Promise<Finding> => ({
  id: 'space.no-inodes',
  severity: isVital(place.target) ? 'critical' : 'warning',
  title: `The file system of ${plainText(place.target)} has no inodes left.`,
  subject: plainText(place.target),
  evidence: [roomEvidence(place), await usageEvidence(subject, place, 'entries')],
  meaning: `No file can be made there although there is room: ${fullMeaning(place.target).toLowerCase()}`,
  repair: await repairFor(subject, place),
});

/**
 * File systems without room. A full one is told with what fills it. Files that were deleted while a
 * program held them are no trouble here: the file system check frees them.
 */
export const fullFileSystem: Check = {
  area: 'space',
  finds: ['space.full-root', 'space.full', 'space.boot-full', 'space.no-inodes'],
  run: async (subject) => {
    // Of a directory the room is that of the host's own file system.
    if (subject.devices === null) return [];
    const places = await spacePlaces(subject);
    const findings = places.flatMap((place) => [
      ...(isFull(place) || (isFullForServices(place) && place.target !== '/boot')
        ? [bytesFinding(subject, place)]
        : []),
      ...(withoutInodes(place) ? [inodesFinding(subject, place)] : []),
    ]);
    return Promise.all(findings);
  },
};
