import type { Subject } from '../subject.ts';
import { type Boot, bootMarks, bootsOf } from './boots.ts';
import type { Journal, LogEntry } from './journal.ts';

/** The unit that default.target leads to, as far as one link tells. */
const defaultTargetOf = async ({ files }: Subject): Promise<string | null> => {
  const places = ['/etc/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'];
  for (const place of places) {
    const to = await files.link(`${place}/default.target`);
    if (to !== null) return /([^/]+\.target)$/.exec(to)?.[1] ?? null;
  }
  return null;
};

/** The boots that the journal of a system tells of, the oldest first. */
export const readBoots = async (
  subject: Subject,
  journal: Journal,
  newest: LogEntry,
): Promise<readonly Boot[]> => {
  const target = await defaultTargetOf(subject);
  return bootsOf(await journal.entries(bootMarks(target)), newest, target);
};
