import { programInside } from '../../system-image/init.ts';
import { planned } from '../plan.ts';
import type { Repair } from '../repair.ts';
import { restorePath } from './restore-file.ts';

const path = '/sbin/init';

const systemd = ['/lib/systemd/systemd', '/usr/lib/systemd/systemd'];

export const initRepair: Repair = {
  id: 'userland.init',
  stage: 'userland',
  title: 'Make /sbin/init again',
  why: 'The kernel starts the system by this path.',
  risk: 'None: it is a link to systemd, or a program with the checksum that dpkg noted. One that lost only its execute bit gets it back.',
  proof: 'container',
  plan: async (subject) => {
    const { host, root, files } = subject;
    const entry = await files.locate(path);
    if (entry?.status.kind === 'file' && entry.status.sizeBytes > 0) {
      const attributes = { mode: 0o755 };
      return planned([{ kind: 'set-attributes', path: entry.path, attributes }]);
    }
    const programs = await Promise.all(systemd.map((one) => programInside(host.files, root, one)));
    const to = systemd.find((_, index) => programs[index] !== null);
    if (to === undefined) return restorePath(subject, path);
    return planned([{ kind: 'make-link', path, to }]);
  },
};
