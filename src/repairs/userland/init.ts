import { programInside } from '../../system-image/init.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';

const path = '/sbin/init';

const systemd = ['/lib/systemd/systemd', '/usr/lib/systemd/systemd'];

export const initRepair: Repair = {
  id: 'userland.init',
  stage: 'userland',
  title: 'Make /sbin/init again',
  why: 'The kernel starts the system by this path.',
  risk: 'None where it is a link to systemd. A program that lost only its execute bit gets it back.',
  proof: 'container',
  plan: async ({ host, root, files }) => {
    const entry = await files.locate(path);
    if (entry?.status.kind === 'file' && entry.status.sizeBytes > 0) {
      const attributes = { mode: 0o755 };
      return planned([{ kind: 'set-attributes', path: entry.path, attributes }]);
    }
    const programs = await Promise.all(systemd.map((one) => programInside(host.files, root, one)));
    const to = systemd.find((_, index) => programs[index] !== null);
    if (to === undefined) {
      return refused(
        'There is no other init on this disk: systemd is not there either.',
        'Restore the package of the init (systemd-sysv, sysvinit-core) or take it from a backup.',
      );
    }
    return planned([{ kind: 'make-link', path, to }]);
  },
};
