import type { Finding } from '../../diagnosis/finding.ts';
import { parseInittab } from '../../system-image/inittab.ts';
import { editLines } from '../edit-lines.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';

const path = '/etc/inittab';

/** What sysvinit-core copies into place when it is installed. */
const template = '/usr/share/sysvinit/inittab';

const lineOf = ({ evidence }: Finding): number | null => {
  const [first] = evidence;
  return first?.kind === 'file' ? first.line : null;
};

const withDefault = (line: string, runlevel: string): string =>
  line.replace(/^(\s*[^:]+:)[^:]*(:)/, `$1${runlevel}$2`);

export const inittabRepair: Repair = {
  id: 'userland.inittab',
  stage: 'userland',
  title: 'Make /etc/inittab start the system again',
  why: 'init does what this file says, and nothing else.',
  risk: 'Where only the default runlevel is wrong, only that line is changed; otherwise the file of the package takes its place, and terminals that were added are not in it.',
  proof: 'container',
  plan: async ({ files }, findings) => {
    const [text, pristine] = await Promise.all([
      files.readForEdit(path),
      files.readForEdit(template),
    ]);
    const usual = parseInittab(pristine ?? '').find(({ action }) => action === 'initdefault');
    const lines = findings.map(lineOf);
    if (text !== null && lines.every((line) => line !== null)) {
      const edit = (line: string): string => withDefault(line, usual?.runlevels ?? '2');
      const content = editLines(text, new Map(lines.map((line) => [line, edit])));
      return planned([{ kind: 'write-file', path, content }]);
    }
    if (usual === undefined || pristine === null) {
      return refused(
        `This disk has no other inittab: ${template} is not there.`,
        'Write one by hand, or take that of a system of the same release.',
      );
    }
    const attributes = text === null ? { mode: 0o644, uid: 0, gid: 0 } : {};
    return planned([{ kind: 'write-file', path, content: pristine, attributes }]);
  },
};
