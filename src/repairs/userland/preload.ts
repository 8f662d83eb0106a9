import { withoutPreloads } from '../../diagnosis/userland/preload-file.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';

const path = '/etc/ld.so.preload';

export const preloadRepair: Repair = {
  id: 'userland.preload',
  stage: 'userland',
  title: 'Take the broken object out of /etc/ld.so.preload',
  why: 'Every program loads what the file names before anything else, and stumbles over it.',
  risk: 'What the object did (an agent, a memory allocator) is not done until it is installed again.',
  proof: 'container',
  plan: async ({ files }, findings) => {
    const text = await files.readForEdit(path);
    if (text === null) return refused(`${path} cannot be read.`, 'Look at the file by hand.');
    const names = findings.map((finding) => finding.subject);
    const content = withoutPreloads(text, names);
    // An empty file is fine for ld.so, and a person who looks for it finds the backup beside none.
    return planned([{ kind: 'write-file', path, content }]);
  },
};
