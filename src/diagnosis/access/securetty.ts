import { findPamFile, parsePam } from '../../system-image/pam.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';

const path = '/etc/securetty';

/** Older systems: the terminals on which root may log in. */
export const securettyCheck: Check = {
  area: 'access',
  finds: ['access.securetty'],
  run: async ({ files }) => {
    const [text, login] = await Promise.all([files.read(path), findPamFile(files, 'login')]);
    if (text === null || login === null) return [];
    const lines = parsePam(login, (await files.read(login)) ?? '');
    const asks = lines.some((line) => line.kind === 'module' && /pam_securetty/.test(line.module));
    const terminals = text.split('\n').map((line) => line.replace(/#.*$/, '').trim());
    if (!asks || terminals.some((name) => /^(?:console|tty1|ttyS0|hvc0)$/.test(name))) return [];
    return [
      {
        id: 'access.securetty',
        severity: 'info',
        title: `${path} lets root log in on no usual console`,
        subject: path,
        evidence: [fileEvidence(path, null, 'names neither console, tty1, ttyS0 nor hvc0')],
        meaning: 'Root cannot log in on the console, with the right password either.',
        repair: null,
      },
    ];
  },
};
