import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';
import { rootEnters } from './root-enters.ts';

const path = '/etc/nologin';

/** A file that shutdown or an administrator made, and that nobody took away. */
export const nologinCheck: Check = {
  area: 'access',
  finds: ['access.nologin'],
  run: async ({ files }) => {
    if ((await files.status(path)) === null) return [];
    // pam_nologin lets root in, if root can log in at all.
    const [text, root] = await Promise.all([files.read(path, 4096), rootEnters(files)]);
    return [
      {
        id: 'access.nologin',
        severity: root ? 'warning' : 'critical',
        title: `${path} shuts everybody out but root`,
        subject: path,
        evidence: [fileEvidence(path, null, text?.trim() || 'is there, and empty')],
        meaning: root
          ? 'Only root can log in.'
          : 'Only root could log in, and root has neither a password nor a key here.',
        repair: 'access.remove-nologin',
      },
    ];
  },
};
