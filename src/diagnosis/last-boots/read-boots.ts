import { defaultTarget } from '../../system-image/systemd-units.ts';
import type { Subject } from '../subject.ts';
import { type Boot, bootMarks, bootsOf } from './boots.ts';
import type { Journal, LogEntry } from './journal.ts';

/** The boots that the journal of a system tells of, the oldest first. */
export const readBoots = async (
  subject: Subject,
  journal: Journal,
  newest: LogEntry,
): Promise<readonly Boot[]> => {
  const target = await defaultTarget(subject.files);
  return bootsOf(await journal.entries(bootMarks(target)), newest, target);
};
