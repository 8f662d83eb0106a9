import { statusCopies } from '../../diagnosis/userland/dpkg-state.ts';
import { parseDpkgStatus } from '../../system-image/dpkg-status.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';

const path = '/var/lib/dpkg/status';
const maxBytes = 32 * 1024 * 1024;

export const dpkgStatusRepair: Repair = {
  id: 'userland.dpkg-status',
  stage: 'userland',
  title: 'Restore the list of installed packages',
  why: 'dpkg keeps the list of before its last change beside it, and Debian backs it up daily.',
  risk: 'What was installed or removed after the copy is not in it: run apt-get --fix-broken install afterwards.',
  proof: 'none',
  plan: async ({ files }) => {
    const texts = await Promise.all(statusCopies.map((copy) => files.readForEdit(copy, maxBytes)));
    const content = texts.find((text) => parseDpkgStatus(text ?? '').length > 0) ?? null;
    if (content === null) {
      return refused(
        `There is no copy of ${path} on this disk.`,
        'It can be rebuilt by hand from /var/lib/dpkg/info, or restored from a backup.',
      );
    }
    return planned([
      { kind: 'write-file', path, content, attributes: { mode: 0o644, uid: 0, gid: 0 } },
    ]);
  },
};
