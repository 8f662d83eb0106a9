import { rehearsalDirectory } from '../rehearsal/record.ts';
import type { Session } from './session.ts';

/**
 * Makes sure that what is half written is known as long as it is, also after a power cut.
 *
 * @returns the step, to be taken down when all is written.
 */
export const intendMerge = (session: Session, title: string): Promise<number> =>
  session.intend(title, {
    kind: 'finish-merge',
    directory: rehearsalDirectory(session.directory),
    session: session.id,
  });
