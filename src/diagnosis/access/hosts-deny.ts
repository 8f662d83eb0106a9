import { readSshService, sshdBytes } from '../../system-image/ssh-service.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';

type Rule = {
  readonly line: number;
  readonly daemons: readonly string[];
  readonly clients: readonly string[];
  readonly text: string;
};

/** Rules of hosts_access(5): `daemons : clients [: options]`, a backslash joins lines. */
export const parseHostsAccess = (text: string): readonly Rule[] => {
  const rules: Rule[] = [];
  let open = '';
  let first = 1;
  for (const [index, raw] of text.split('\n').entries()) {
    if (open === '') first = index + 1;
    const joined = `${open}${raw.replace(/\r$/, '')}`;
    open = joined.endsWith('\\') ? joined.slice(0, -1) : '';
    if (open !== '' || joined.trim() === '' || joined.trimStart().startsWith('#')) continue;
    const [daemons = '', clients = ''] = joined.split(/:(?![^[]*\])/);
    const words = (list: string) => list.split(/[\s,]+/).filter((word) => word !== '');
    rules.push({ line: first, daemons: words(daemons), clients: words(clients), text: joined });
  }
  return rules;
};

const meansSshd = ({ daemons }: Rule): boolean =>
  !daemons.includes('EXCEPT') && daemons.some((name) => name === 'ALL' || name.startsWith('sshd'));

/** tcpd's files, for an sshd that asks them: Debian's is linked with libwrap. */
export const hostsDenyCheck: Check = {
  area: 'access',
  finds: ['access.hosts-deny'],
  run: async ({ files }) => {
    const [{ program, enabled }, denyText, allowText] = await Promise.all([
      readSshService(files),
      files.read('/etc/hosts.deny', 64 * 1024),
      files.read('/etc/hosts.allow', 64 * 1024),
    ]);
    if (program === null || denyText === null) return [];
    const denied = parseHostsAccess(denyText).filter(
      (rule) => meansSshd(rule) && rule.clients.includes('ALL') && rule.clients.length === 1,
    );
    const allowed = parseHostsAccess(allowText ?? '').some(({ daemons }) =>
      daemons.some((name) => name === 'ALL' || name.startsWith('sshd')),
    );
    if (denied.length === 0 || allowed) return [];
    if (!(await sshdBytes(files, program)).includes('libwrap.so')) return [];
    return denied.map((rule) => ({
      id: 'access.hosts-deny',
      severity: enabled ? ('critical' as const) : ('info' as const),
      title: '/etc/hosts.deny turns every ssh client away',
      subject: `/etc/hosts.deny:${rule.line}`,
      evidence: [fileEvidence('/etc/hosts.deny', rule.line, rule.text)],
      meaning:
        'sshd closes each connection before the login, and /etc/hosts.allow has no exception.',
      repair: enabled ? 'access.hosts-deny-line' : null,
    }));
  },
};
