import type { Change } from '../../changes/change.ts';
import { readMountUnits, unitNameFor } from '../../diagnosis/fstab/unit-file.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import { administratorUnits } from '../../system-image/systemd-units.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';

const named = async (subject: Subject, findings: readonly { readonly subject: string }[]) => {
  const names = new Set(findings.map(({ subject: name }) => name));
  return (await readMountUnits(subject)).filter(({ name }) => names.has(name));
};

/** Gives a mount unit the only name under which systemd takes it. */
export const renameUnit: Repair = {
  id: 'fstab.rename-unit',
  stage: 'fstab',
  title: 'Name the mount unit after its mount point',
  why: 'systemd takes a mount unit only when its name is the mount point, escaped. The file and the links that pull it in are renamed; its content stays.',
  risk: 'What was not mounted before is mounted at the next boot.',
  proof: 'container',
  plan: async (subject, findings) => {
    const changes: Change[] = [];
    for (const { name, path, values, pulledInBy } of await named(subject, findings)) {
      const wanted = unitNameFor(values.get('Where') ?? '', name.slice(name.lastIndexOf('.') + 1));
      const target = `${administratorUnits}/${wanted}`;
      if ((await subject.files.entry(target)) !== null) {
        return refused(
          `${target} exists already`,
          'One of the two units has to go: only you know which.',
        );
      }
      const status = await subject.files.status(path);
      const { mode = 0o644, uid = 0, gid = 0 } = status ?? {};
      changes.push({
        kind: 'write-file',
        path: target,
        content: (await subject.files.readForEdit(path)) ?? '',
        attributes: { mode, uid, gid },
      });
      for (const by of pulledInBy) {
        changes.push({
          kind: 'make-link',
          path: `${administratorUnits}/${by}/${wanted}`,
          to: target,
        });
        changes.push({ kind: 'remove', path: `${administratorUnits}/${by}/${name}` });
      }
      changes.push({ kind: 'remove', path });
    }
    return planned(changes);
  },
};

const ownDirectory = { mode: 0o755, uid: 0, gid: 0 } as const;
const ownFile = { mode: 0o644, uid: 0, gid: 0 } as const;

/**
 * Lets systemd wait ten seconds for the device and not ninety, as `x-systemd.device-timeout=` does
 * in fstab: systemd-fstab-generator writes the same drop-in. Only a path has a device unit that is
 * waited for; `What=UUID=…` fails at once.
 */
const shortWait = async ({ files }: Subject, what: string): Promise<readonly Change[]> => {
  if (!what.startsWith('/dev/')) return [];
  const directory = `${administratorUnits}/${unitNameFor(what, 'device')}.d`;
  const path = `${directory}/50-device-timeout.conf`;
  if ((await files.entry(path)) !== null) return [];
  const isThere = await files.isDirectory(directory);
  return [
    ...(isThere
      ? []
      : [{ kind: 'make-directory', path: directory, attributes: ownDirectory } as const]),
    {
      kind: 'write-file',
      path,
      content: '[Unit]\nJobRunningTimeoutSec=10s\n',
      attributes: ownFile,
    },
  ];
};

/** Lets a target want a unit that it required: it goes on when the unit fails. */
export const wantUnit: Repair = {
  id: 'fstab.want-unit',
  stage: 'fstab',
  title: 'Let the system boot without the mount unit',
  why: 'The unit stays enabled, and the boot no longer fails with it: the link moves from the directory of what is required to that of what is wanted. A drop-in lets systemd wait ten seconds for the device and not ninety.',
  risk: 'Services that keep data there start without it.',
  proof: 'vm',
  plan: async (subject, findings) => {
    const changes: Change[] = [];
    for (const { name, pulledInBy, values } of await named(subject, findings)) {
      for (const by of pulledInBy.filter((directory) => directory.endsWith('.requires'))) {
        const from = `${administratorUnits}/${by}/${name}`;
        const link = await subject.files.link(from);
        const wants = `${administratorUnits}/${by.replace(/requires$/, 'wants')}`;
        if (link === null) return refused(`${from} is no link`, 'Move it away by hand.');
        if (!(await subject.files.isDirectory(wants))) {
          changes.push({ kind: 'make-directory', path: wants, attributes: ownDirectory });
        }
        changes.push({ kind: 'make-link', path: `${wants}/${name}`, to: link });
        changes.push({ kind: 'remove', path: from });
      }
      changes.push(...(await shortWait(subject, values.get('What') ?? '')));
    }
    return planned(changes);
  },
};
