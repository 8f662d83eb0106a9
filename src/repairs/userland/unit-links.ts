import type { Subject } from '../../diagnosis/subject.ts';
import { isOwn } from '../../diagnosis/userland/unit-faults.ts';
import { readBootTransaction } from '../../system-image/boot-transaction.ts';
import { planned, refused, together } from '../plan.ts';
import type { Repair, RepairPlan } from '../repair.ts';

/** What `systemctl disable` does: removes the links in /etc that pull the unit in at boot. */
export const unlinkUnit = async (subject: Subject, name: string): Promise<RepairPlan> => {
  const { units } = await readBootTransaction(subject.files, 'default.target');
  const pulls = [...units.values()].flatMap((unit) => unit.pulls);
  const links = [...new Set(pulls.filter((pull) => pull.name === name).map(({ link }) => link))];
  if (links.length === 0 || !links.every(isOwn)) {
    return refused(
      `${name} is not started by a link in /etc alone.`,
      'Look at what pulls it in: systemctl list-dependencies --reverse.',
    );
  }
  return planned(links.map((path) => ({ kind: 'remove', path })));
};

export const unitDisableRepair: Repair = {
  id: 'userland.unit-disable',
  stage: 'userland',
  title: 'Disable the unit that the boot waits for',
  why: 'Its command never ends, and it has no limit of time: what comes after it is never started.',
  risk: 'The unit is not started at boot any more. With Type=simple in place of oneshot it can be enabled again.',
  proof: 'container',
  plan: async (subject, findings) =>
    together(await Promise.all(findings.map((finding) => unlinkUnit(subject, finding.subject)))),
};
