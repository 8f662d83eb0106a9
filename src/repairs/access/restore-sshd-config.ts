import { sshdConfigPath } from '../../system-image/sshd-config.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';

/** Untouched copies that packages keep. */
const copies = [
  '/usr/share/openssh/sshd_config',
  '/usr/etc/ssh/sshd_config',
  `${sshdConfigPath}.ucf-dist`,
  `${sshdConfigPath}.dpkg-dist`,
  `${sshdConfigPath}.rpmnew`,
];

/** Puts the package's own configuration back where there is none. */
export const restoreSshdConfig: Repair = {
  id: 'access.restore-sshd-config',
  stage: 'access',
  title: "Put the package's own sshd_config back",
  why: 'Without its configuration sshd does not start, or starts with settings that nobody chose.',
  risk: 'Settings of the lost file are lost: it is the configuration of a fresh installation.',
  proof: 'container',
  plan: async ({ files }) => {
    const [contents, directory] = await Promise.all([
      Promise.all(copies.map((path) => files.readForEdit(path))),
      files.isDirectory('/etc/ssh'),
    ]);
    const content = contents.find((text) => text !== null && text !== '');
    if (content === undefined || content === null) {
      return refused(
        'no untouched copy of sshd_config is on the disk',
        'Reinstall openssh-server in a rescue shell with network, or copy the file from another machine.',
      );
    }
    const root = { uid: 0, gid: 0 };
    return planned([
      ...(directory
        ? []
        : [
            {
              kind: 'make-directory',
              path: '/etc/ssh',
              attributes: { mode: 0o755, ...root },
            } as const,
          ]),
      {
        kind: 'write-file',
        path: sshdConfigPath,
        content,
        attributes: { mode: 0o644, ...root },
      },
    ]);
  },
};
