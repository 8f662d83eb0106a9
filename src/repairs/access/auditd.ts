import { auditdConf } from '../../diagnosis/access/auditd.ts';
import { editLines, placesOf } from '../edit-lines.ts';
import { planned } from '../plan.ts';
import type { Repair } from '../repair.ts';

/** Auditing stops instead of the machine. */
export const auditdSuspend: Repair = {
  id: 'access.auditd-suspend',
  stage: 'access',
  title: 'Let auditd stop auditing instead of the machine when the disk is full',
  why: 'The disk is full, and auditd would halt the machine after each boot.',
  risk: 'Without free space the machine runs without an audit trail.',
  proof: 'container',
  plan: async ({ files }, findings) => {
    const text = (await files.readForEdit(auditdConf)) ?? '';
    const lines = placesOf(findings).get(auditdConf) ?? [];
    const suspend = (line: string): string => line.replace(/(=\s*)\S+/, '$1SUSPEND');
    const content = editLines(text, new Map(lines.map((line) => [line, suspend])));
    return planned([{ kind: 'write-file', path: auditdConf, content }]);
  },
};
