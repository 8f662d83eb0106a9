import { nsswitchPath } from '../../system-image/nsswitch.ts';
import { editLines, placesOf, throughLinks } from '../edit-lines.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';

/** What Debian's packages copy into place. */
const templates = ['/usr/share/base-files/nsswitch.conf', '/usr/share/libc-bin/nsswitch.conf'];

/** The first lines of every distribution's file; what is left out takes glibc's defaults. */
const plain = ['passwd', 'group', 'shadow', 'gshadow']
  .map((database) => `${`${database}:`.padEnd(16)}files\n`)
  .concat(`${'hosts:'.padEnd(16)}files dns\n`)
  .join('');

export const nsswitchRepair: Repair = {
  id: 'userland.nsswitch',
  stage: 'userland',
  title: 'Let programs find the accounts in /etc again',
  why: 'Without "files" in nsswitch.conf neither root nor the users of services are known.',
  risk: 'Only "files" is put in front of the sources of the line; a missing file is made anew from the package’s template.',
  proof: 'container',
  plan: async ({ files }, findings) => {
    const text = await files.readForEdit(nsswitchPath);
    if (text === null || text.trim() === '') {
      const copies = await Promise.all(templates.map((template) => files.readForEdit(template)));
      const content = copies.find((copy) => copy !== null) ?? plain;
      const attributes = { mode: 0o644, uid: 0, gid: 0 };
      return planned([{ kind: 'write-file', path: nsswitchPath, content, attributes }]);
    }
    const lines = placesOf(findings).get(nsswitchPath) ?? [];
    if (lines.length === 0) return refused('The lines are not known.', 'Look at the file by hand.');
    const addFiles = (line: string): string =>
      line.replace(/^(\s*\w+\s*:)([ \t]*)(.*)$/, (_, lead, gap, sources) =>
        `${lead}${gap || ' '}files ${sources}`.trimEnd(),
      );
    const content = editLines(text, new Map(lines.map((line) => [line, addFiles])));
    const path = await throughLinks(files, nsswitchPath);
    return planned([{ kind: 'write-file', path, content }]);
  },
};
