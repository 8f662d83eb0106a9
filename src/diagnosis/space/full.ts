import { plainText } from '../../host/plain-text.ts';
import type { Check } from '../check.ts';
import type { Evidence, Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { bootLeftovers, leftoverEvidence } from './boot-leftovers.ts';
import { droppable } from './droppable.ts';
import {
  largestEntries,
  mebibytes,
  mostInodes,
  mountPointsBelow,
  type Used,
  usedLine,
  worthNaming,
} from './largest.ts';
import { type Place, spacePlaces } from './places.ts';

const mebibyte = 2 ** 20;

const isBoot = (target: string): boolean => ['/boot', '/boot/efi', '/efi'].includes(target);

/**
 * Not even root can write a log line any more. ext4 keeps up to two parts in a hundred back even from
 * root and counts them as free (ext4_has_free_clusters).
 *
 * @param needed bytes that have to be free in any case.
 */
const isFull = ({ space, target }: Place, needed: number): boolean =>
  space.sizeBytes > 0 &&
  space.freeBytes <
    Math.max(needed, Math.min(4 * mebibyte, space.sizeBytes / (isBoot(target) ? 10 : 100)));

/** Fedora's rescue copy is written once, when the system is installed. */
const isRescueCopy = (path: string): boolean => /\/initramfs-0-rescue-/.test(path);

/**
 * The new initramfs is written beside the old one, and only then takes its name. One in a unified
 * kernel image, or on an EFI partition below, is no matter of /boot.
 */
const neededOnBoot = async (subject: Subject): Promise<number> => {
  const paths = subject.facts.kernels.flatMap(({ image, initramfs }) =>
    initramfs !== null &&
    initramfs !== image &&
    /^\/boot\/[^/]+$/.test(initramfs) &&
    !isRescueCopy(initramfs)
      ? [initramfs]
      : [],
  );
  const found = await Promise.all(paths.map((path) => subject.files.locate(path)));
  return Math.max(0, ...found.map((one) => (one === null ? 0 : one.status.sizeBytes)));
};

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

/** What lies under mount points is in no listing of the running system. */
const hiddenEvidence = (
  all: readonly Used[],
  mountPoints: readonly string[],
  unit: 'bytes' | 'entries',
): readonly Evidence[] =>
  all
    .filter(({ path }) => mountPoints.includes(path))
    .map(({ path, amount }) => ({
      kind: 'file',
      path: plainText(path),
      line: null,
      text: `${unit === 'bytes' ? mebibytes(amount) : `${amount} entries`} lie hidden in this directory, under what is mounted on it`,
    }));

const usageEvidence = async (
  subject: Subject,
  place: Place,
  unit: 'bytes' | 'entries',
): Promise<readonly Evidence[]> => {
  const [all, mountPoints] = await Promise.all([
    (unit === 'bytes' ? largestEntries : mostInodes)(subject, place),
    mountPointsBelow(subject, place),
  ]);
  return [
    {
      kind: 'command',
      command: `du ${unit === 'bytes' ? '--all' : '--inodes'} --one-file-system ${plainText(place.target)}`,
      output: worthNaming(all, 8)
        .map((used) => usedLine(used, unit, mountPoints))
        .join('\n'),
    },
    ...hiddenEvidence(all, mountPoints, unit),
  ];
};

const repairFor = async (subject: Subject, place: Place): Promise<string | null> =>
  (await droppable(subject, place)).length > 0 ? 'space.drop-logs' : null;

const bootRepair = async (subject: Subject, target: string): Promise<string | null> => {
  const leftovers = target === '/boot' ? await bootLeftovers(subject) : [];
  return leftovers.some(({ mayGo }) => mayGo) ? 'space.orphan-initramfs' : null;
};

const fullMeaning = (target: string): string =>
  isVital(target)
    ? 'Services cannot write their files, sockets and logs and fail to start; logins fail, and a package upgrade breaks off in the middle.'
    : 'What writes there fails.';

const bootTitle = ({ target, space }: Place, needed: number): string =>
  space.freeBytes < Math.min(4 * mebibyte, space.sizeBytes / 10)
    ? `The file system of ${plainText(target)} is full.`
    : `The file system of ${plainText(target)} has ${mebibytes(space.freeBytes)} left, and an initramfs needs ${mebibytes(needed)}.`;

const bytesFinding = async (subject: Subject, place: Place, needed: number): Promise<Finding> => {
  const { target } = place;
  const boot = isBoot(target);
  const critical = !boot && isVital(target);
  return {
    id: boot ? 'space.boot-full' : target === '/' ? 'space.full-root' : 'space.full',
    severity: critical ? 'critical' : 'warning',
    title: boot
      ? bootTitle(place, needed)
      : isFull(place, 0)
        ? `The file system of ${plainText(target)} is full.`
        : `The file system of ${plainText(target)} is full for everybody but root.`,
    subject: plainText(target),
    evidence: [
      roomEvidence(place),
      ...(await usageEvidence(subject, place, 'bytes')),
      ...(target === '/boot' ? (await bootLeftovers(subject)).map(leftoverEvidence) : []),
    ],
    meaning: boot
      ? 'The system boots. The next kernel or initramfs cannot be written, or is cut off, and then it does not. Remove kernels that are no longer used with the package manager, never the one that boots.'
      : fullMeaning(target),
    repair: boot ? await bootRepair(subject, target) : await repairFor(subject, place),
  };
};

const inodesFinding = async (subject: Subject, place: Place): Promise<Finding> => ({
  id: 'space.no-inodes',
  severity: isVital(place.target) ? 'critical' : 'warning',
  title: `The file system of ${plainText(place.target)} has no inodes left.`,
  subject: plainText(place.target),
  evidence: [roomEvidence(place), ...(await usageEvidence(subject, place, 'entries'))],
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
    const needed = await neededOnBoot(subject);
    const findings = places.flatMap((place) => {
      const least = place.target === '/boot' ? needed : 0;
      const forServices = isFullForServices(place) && place.target !== '/boot';
      return [
        ...(isFull(place, least) || forServices ? [bytesFinding(subject, place, least)] : []),
        ...(withoutInodes(place) ? [inodesFinding(subject, place)] : []),
      ];
    });
    return Promise.all(findings);
  },
};
