import { planned } from '../plan.ts';
import type { Repair } from '../repair.ts';

export const packageLockRepair: Repair = {
  id: 'userland.package-lock',
  stage: 'packages',
  title: 'Remove the lock that a package manager left behind',
  why: 'The program that made it does not run any more: the disk is attached to another machine.',
  risk: 'None. Finish the upgrade afterwards: pacman -Syu.',
  proof: 'none',
  plan: async (_subject, findings) =>
    planned(findings.map(({ subject: path }) => ({ kind: 'remove', path }))),
};
