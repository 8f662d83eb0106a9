import { oncePer } from '../../host/once-per.ts';
import { defaultTarget } from '../../system-image/systemd-units.ts';
import type { Subject } from '../subject.ts';
import { type Boot, bootMarks, bootsOf } from './boots.ts';
import { openJournal } from './journal.ts';

/**
 * The boots that the journal of a system tells of, the oldest first; read once for all checks. None
 * without a journal that can be read.
 */
export const readBoots = oncePer(
  ({ files }: Subject) => files,
  async (subject): Promise<readonly Boot[]> => {
    const journal = await openJournal(subject);
    if (journal?.newest == null) return [];
    const target = await defaultTarget(subject.files);
    return bootsOf(await journal.entries(bootMarks(target)), journal.newest, target);
  },
);
