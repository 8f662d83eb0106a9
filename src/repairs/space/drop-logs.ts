import type { Change } from '../../changes/change.ts';
import { type Droppable, droppable, keptOfLog } from '../../diagnosis/space/droppable.ts';
import { type Place, spacePlaces } from '../../diagnosis/space/places.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';

const mebibyte = 2 ** 20;

/** Room to start with, and for an initramfs and a package or two: no more is taken than is needed. */
const wantedRoom = ({ space }: Place): number =>
  Math.min(256 * mebibyte, Math.max(16 * mebibyte, space.sizeBytes / 20));

/** A boot makes some dozens of files; each one that is removed costs a backup. */
const wantedInodes = 128;

/** The first ones that together give what is wanted. */
export const enough = (
  all: readonly Droppable[],
  bytes: number,
  inodes: number,
): readonly Droppable[] => {
  const chosen: Droppable[] = [];
  let [freed, files] = [0, 0];
  for (const one of all) {
    if (freed >= bytes && files >= inodes) break;
    chosen.push(one);
    freed += one.kind === 'log' ? one.sizeBytes - keptOfLog : one.sizeBytes;
    files += one.kind === 'log' ? 0 : 1;
  }
  return chosen;
};

/** The last part of a log from the beginning of a line on. */
const endOf = async (subject: Subject, { path, sizeBytes }: Droppable): Promise<Buffer | null> => {
  const place = await subject.files.locate(path);
  if (place === null) return null;
  const from = sizeBytes - keptOfLog;
  const end = await subject.host.files.readUntrusted(place.hostPath, keptOfLog, from);
  return end === null ? null : end.subarray(end.indexOf(0x0a) + 1);
};

const changeFor = async (subject: Subject, one: Droppable): Promise<readonly Change[]> => {
  if (one.kind !== 'log') return [{ kind: 'remove', path: one.path }];
  const content = await endOf(subject, one);
  return content === null ? [] : [{ kind: 'write-file', path: one.path, content }];
};

const forPlace = async (subject: Subject, place: Place): Promise<readonly Change[]> => {
  const { space } = place;
  const all = await droppable(subject, place);
  const noInodes = space.inodes > 0 && space.freeInodes < 16;
  const chosen = enough(
    all,
    wantedRoom(place) - space.availableBytes,
    noInodes ? wantedInodes - space.freeInodes : 0,
  );
  return (await Promise.all(chosen.map((one) => changeFor(subject, one)))).flat();
};

/** Makes room on a full file system by what the system can do without. */
export const dropLogs: Repair = {
  id: 'space.drop-logs',
  // Before all others: on a full disk none of them could write.
  stage: 'file-system',
  title: 'Make room: remove downloaded packages, rotated logs and closed journals',
  why: 'Services need room to start. Packages can be downloaded again, and rotated logs and closed journals are not written any more; of a huge log its last MiB stays. No more goes than is needed, and all of it is kept in the session on this host, so that undo brings it back.',
  risk: 'Old log entries are no longer on the system itself.',
  proof: 'container',
  plan: async (subject, findings) => {
    const targets = new Set(findings.map(({ subject: target }) => target));
    const places = (await spacePlaces(subject)).filter(({ target }) => targets.has(target));
    const changes = (await Promise.all(places.map((place) => forPlace(subject, place)))).flat();
    return changes.length > 0
      ? planned(changes)
      : refused(
          'nothing was found that the system can certainly do without',
          'The finding lists what is largest: `rescuekit rescue TARGET` gives a shell to move it away.',
        );
  },
};
