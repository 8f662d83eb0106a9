import { applyEntryChange } from '../changes/apply-change.ts';
import type { Change } from '../changes/change.ts';
import { viewChange } from '../changes/describe-change.ts';
import type { AppliedRepair, Workplace } from './apply-repairs.ts';

/**
 * SELinux finds no label on a file that was made from outside, and refuses it when enforcing. The
 * file /.autorelabel makes the next boot label everything (selinux-autorelabel, fixfiles(8)).
 *
 * @returns what was done; null where it is not needed, or there already.
 */
export const relabelIfNeeded = async ({
  subject: { facts, host, root },
  log,
}: Workplace): Promise<AppliedRepair | null> => {
  if (!facts.selinux) return null;
  const change = {
    kind: 'write-file',
    path: '/.autorelabel',
    content: '',
  } as const satisfies Change;
  const view = await viewChange(host, root, change);
  if ((await applyEntryChange(host, root, log, change)) === null) return null;
  return {
    id: 'access.relabel',
    title: 'Let the next boot label what was changed for SELinux',
    changes: [view],
    commands: [],
    commandsOn: 'layer',
    irreversible: null,
    proof: 'none',
  };
};
