import { hasPolicy, selinuxConfig } from '../../diagnosis/access/selinux.ts';
import type { SystemFiles } from '../../system-image/system-files.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';

const policies = async (files: SystemFiles): Promise<readonly string[]> => {
  const names = (await files.list('/etc/selinux')) ?? [];
  const there = await Promise.all(names.map((name) => hasPolicy(files, name)));
  return names.filter((_, index) => there[index]);
};

/** Names the policy that is there, or lets the system boot without one. */
export const selinuxPolicy: Repair = {
  id: 'access.selinux-policy',
  stage: 'access',
  title: 'Name the SELinux policy that is on the disk, or stop enforcing',
  why: 'Enforcing without a policy, init stops at once.',
  risk: 'Where no policy is on the disk, the system runs without SELinux until one is installed.',
  proof: 'vm',
  plan: async ({ files }) => {
    const text = (await files.readForEdit(selinuxConfig)) ?? '';
    const found = await policies(files);
    const content =
      found.length === 1
        ? text.replace(/^(\s*SELINUXTYPE=).*$/m, `$1${found[0] ?? ''}`)
        : text.replace(/^(\s*SELINUX=)\s*enforcing/im, '$1permissive');
    return planned([{ kind: 'write-file', path: selinuxConfig, content }]);
  },
};

const relabellers = [
  '/usr/libexec/selinux/selinux-autorelabel',
  '/sbin/fixfiles',
  '/usr/sbin/fixfiles',
];

/** The mark by which the next boot sets all labels. */
export const selinuxRelabel: Repair = {
  id: 'access.selinux-relabel',
  stage: 'access',
  title: 'Have all labels set again at the next boot',
  why: 'Files that were changed from outside have no label, and the policy locks them away.',
  risk: 'The next boot takes minutes longer and ends with one more restart.',
  proof: 'vm',
  plan: async ({ files }) => {
    const there = await Promise.all(relabellers.map((path) => files.isFilled(path)));
    if (!there.includes(true)) {
      return refused(
        'nothing on the disk sets labels at boot',
        'Install policycoreutils in a rescue shell, or boot once with enforcing=0 on the command line.',
      );
    }
    const attributes = { mode: 0o644, uid: 0, gid: 0 };
    return planned([{ kind: 'write-file', path: '/.autorelabel', content: '', attributes }]);
  },
};
