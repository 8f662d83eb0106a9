import type { Subject } from '../subject.ts';
import type { Place } from './places.ts';

/** A file that a system can do without: its package manager or logging makes it anew. */
export type Droppable = {
  /** Path of the system, without links. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly kind: 'package' | 'rotated' | 'journal' | 'log';
};

/** Of a directory tree with millions of entries only so many are looked at. */
const maxEntries = 20_000;
const maxDepth = 6;

/** What remains of a log that is cut: enough to see how it ended. */
export const keptOfLog = 2 ** 20;

/** Smaller logs are not what fills a file system. */
const hugeLog = 32 * 2 ** 20;

const isPackage = (path: string): boolean =>
  /^\/var\/cache\/apt\/archives\/(?:partial\/)?[^/]+\.deb$/.test(path) ||
  /^\/var\/cache\/(?:dnf|yum|zypp|libdnf5)\/.*\.rpm$/.test(path);

/**
 * journald names a file that it has closed after its id and first entry (`system@….journal`) and one that
 * it found damaged with a `~`; the active ones are `system.journal` and `user-1000.journal`.
 */
const isArchivedJournal = (path: string): boolean =>
  /^\/var\/log\/journal\/[0-9a-f]{32}\/[^/]+@[^/]+\.journal~?$/.test(path);

/** Names that logrotate, savelog and sa give: `syslog.1`, `auth.log.2.gz`, `messages-20260101`. */
const isRotated = (path: string): boolean =>
  /^\/var\/log\/.*(?:\.\d{1,3}(?:\.(?:gz|xz|bz2|zst|lz4))?|\.(?:gz|xz|bz2|zst)|[-.]\d{8}(?:\.(?:gz|xz|bz2|zst))?|\.old)$/.test(
    path,
  ) && !path.startsWith('/var/log/journal/');

const isPlainLog = (path: string): boolean =>
  /^\/var\/log\/(?:[^/]+\/)*(?:[^/]+\.log|syslog|messages|kern|debug|daemon|secure|maillog|cron)$/.test(
    path,
  );

/** What a file is to a system that has no room; null when it is to stay. */
export const droppableKind = (path: string, sizeBytes: number): Droppable['kind'] | null => {
  if (isPackage(path)) return 'package';
  if (isArchivedJournal(path)) return 'journal';
  if (isRotated(path)) return 'rotated';
  return isPlainLog(path) && sizeBytes > hugeLog ? 'log' : null;
};

type Walk = { readonly found: Droppable[]; seen: number };

const walk = async (
  subject: Subject,
  path: string,
  device: number,
  depth: number,
  state: Walk,
): Promise<void> => {
  for (const name of (await subject.files.list(path)) ?? []) {
    if (state.seen >= maxEntries) return;
    state.seen += 1;
    const entry = await subject.files.entry(`${path}/${name}`);
    if (entry === null || entry.status.dev !== device) continue;
    if (entry.status.kind === 'directory' && depth < maxDepth) {
      await walk(subject, entry.path, device, depth + 1, state);
    }
    const kind =
      entry.status.kind === 'file' ? droppableKind(entry.path, entry.status.sizeBytes) : null;
    if (kind !== null) {
      state.found.push({ path: entry.path, sizeBytes: entry.status.sizeBytes, kind });
    }
  }
};

const order = ['package', 'rotated', 'journal', 'log'] as const;

/**
 * Files on one file system that may go when it is full: downloaded packages, rotated logs, journals that
 * are closed, and of a huge log all but its end. In the order in which they may go.
 */
export const droppable = async (subject: Subject, place: Place): Promise<readonly Droppable[]> => {
  const device = (await subject.files.status(place.target))?.dev;
  if (device === undefined) return [];
  const state: Walk = { found: [], seen: 0 };
  for (const top of ['/var/cache', '/var/log']) {
    const found = await subject.files.locate(top);
    // Through a link it may be a directory of any other name, which is nobody's log.
    if (found?.path === top) await walk(subject, top, device, 0, state);
  }
  return state.found.toSorted(
    (one, other) =>
      order.indexOf(one.kind) - order.indexOf(other.kind) || one.path.localeCompare(other.path),
  );
};
