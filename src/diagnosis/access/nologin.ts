import { isLocked } from '../../system-image/accounts.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';
import { readLogins } from './accounts.ts';

const path = '/etc/nologin';

/** A file that shutdown or an administrator made, and that nobody took away. */
export const nologinCheck: Check = {
  area: 'access',
  finds: ['access.nologin'],
  run: async ({ files }) => {
    if ((await files.status(path)) === null) return [];
    const [text, { shadow }, rootKeys] = await Promise.all([
      files.read(path, 4096),
      readLogins(files),
      files.isFilled('/root/.ssh/authorized_keys'),
    ]);
    // pam_nologin lets root in, if root can log in at all.
    const root = shadow.find(({ name }) => name === 'root');
    const rootEnters = rootKeys || (root !== undefined && !isLocked(root.password));
    return [
      {
        id: 'access.nologin',
        severity: rootEnters ? 'warning' : 'critical',
        title: `${path} shuts everybody out but root`,
        subject: path,
        evidence: [fileEvidence(path, null, text?.trim() || 'is there, and empty')],
        meaning: rootEnters
          ? 'Only root can log in.'
          : 'Only root could log in, and root has neither a password nor a key here.',
        repair: 'access.remove-nologin',
      },
    ];
  },
};
