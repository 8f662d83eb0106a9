import { applyEntryChange } from '../changes/apply-change.ts';
import type { Workplace } from './apply-repairs.ts';

/**
 * SELinux finds no label on a file that was made from outside, and refuses it when enforcing. The
 * file /.autorelabel makes the next boot label everything (selinux-autorelabel, fixfiles(8)).
 *
 * @returns whether it was made.
 */
export const relabelIfNeeded = async ({ subject, log }: Workplace): Promise<boolean> => {
  if (!subject.facts.selinux) return false;
  const made = await applyEntryChange(subject.host, subject.root, log, {
    kind: 'write-file',
    path: '/.autorelabel',
    content: '',
  });
  return made !== null;
};
