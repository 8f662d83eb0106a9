import type { Change } from '../../changes/change.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import { administratorUnits, findUnit, unitDirectories } from '../../system-image/systemd-units.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';

const own = `${administratorUnits}/default.target`;
const vendor = unitDirectories.slice(1);

const isUsable = async (subject: Subject, name: string): Promise<boolean> => {
  const entry = await findUnit(subject.files, name);
  return entry !== null && (entry.state === 'file' || entry.state === 'link');
};

/** Where a usable unit of that name lies, as `systemctl set-default` writes it. */
const pathOf = async (subject: Subject, name: string): Promise<string | null> => {
  const entry = await findUnit(subject.files, name, vendor);
  return entry?.state === 'file' ? entry.path : null;
};

/**
 * The default that comes with systemd, when it is there and what it leads to is not masked; else
 * the first usable one of the usual two.
 */
const vendorDefault = async (subject: Subject): Promise<boolean> => {
  const entry = await findUnit(subject.files, 'default.target', vendor);
  if (entry === null || entry.state !== 'link') return entry?.state === 'file';
  const target = (await subject.files.locate(entry.path))?.path.split('/').at(-1) ?? '';
  return (await isUsable(subject, target)) && (await isUsable(subject, 'multi-user.target'));
};

const clearing = async (subject: Subject): Promise<readonly Change[]> =>
  (await subject.files.entry(own)) === null ? [] : [{ kind: 'remove', path: own }];

export const defaultTargetRepair: Repair = {
  id: 'userland.default-target',
  stage: 'userland',
  title: 'Let systemd start its usual default target',
  why: 'The link in /etc that says what to start is missing, leads nowhere, or leads to a target that ends the system.',
  risk: 'If another target was meant, set it again with systemctl set-default.',
  proof: 'container',
  plan: async (subject) => {
    const cleared = await clearing(subject);
    if (cleared.length > 0 && (await vendorDefault(subject))) return planned(cleared);
    for (const name of ['graphical.target', 'multi-user.target']) {
      const to = await pathOf(subject, name);
      if (to !== null && (await isUsable(subject, name))) {
        return planned([{ kind: 'make-link', path: own, to }]);
      }
    }
    return refused(
      'Neither graphical.target nor multi-user.target is there.',
      'systemd itself is damaged: restore its package first.',
    );
  },
};
