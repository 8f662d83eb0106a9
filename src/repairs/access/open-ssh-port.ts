import { readSshdConfig, sshdValues } from '../../system-image/sshd-config.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';

type Insert = (text: string, port: string) => string;

const inserts: readonly { readonly path: RegExp; readonly insert: Insert }[] = [
  {
    path: /nftables\.conf$/,
    insert: (text, port) =>
      text.replace(
        /^([ \t]*)(type filter hook input [^\n]*policy drop;[^\n]*\n)/m,
        `$1$2$1tcp dport ${port} accept\n`,
      ),
  },
  {
    path: /\/iptables(?:\/rules\.v4)?$/,
    insert: (text, port) =>
      text.replace(
        /^(\*filter\n(?::[^\n]*\n)+)/m,
        `$1-A INPUT -p tcp -m tcp --dport ${port} -j ACCEPT\n`,
      ),
  },
  {
    path: /\/ufw\/user\.rules$/,
    insert: (text, port) =>
      text.replace(
        /^### RULES ###\n/m,
        [
          '### RULES ###',
          '',
          `### tuple ### allow tcp ${port} 0.0.0.0/0 any 0.0.0.0/0 in`,
          `-A ufw-user-input -p tcp --dport ${port} -j ACCEPT`,
          '',
        ].join('\n'),
      ),
  },
  {
    path: /\/zones\/[^/]+\.xml$/,
    insert: (text, port) =>
      text.replace(
        /^([ \t]*)<\/zone>/m,
        port === '22'
          ? '  <service name="ssh"/>\n$1</zone>'
          : `  <port port="${port}" protocol="tcp"/>\n$1</zone>`,
      ),
  },
];

/** A rule for ssh in front of the others. Whoever shut it on purpose must not find it open. */
export const openSshPort: Repair = {
  id: 'access.open-ssh-port',
  stage: 'access',
  title: 'Let ssh through the firewall',
  why: 'The firewall drops every connection to the ssh server.',
  risk: 'Everybody who can reach the machine can reach its ssh server.',
  proof: 'none',
  onlyWhenNamed: true,
  plan: async ({ files }, findings) => {
    const [finding] = findings;
    const vendor = finding?.subject.replace('/usr/lib/firewalld/', '/etc/firewalld/') ?? '';
    const text = finding === undefined ? null : await files.readForEdit(finding.subject);
    const known = inserts.find(({ path }) => path.test(vendor));
    const port = sshdValues(await readSshdConfig(files), 'port')[0] ?? '22';
    const content = text === null ? undefined : known?.insert(text, port);
    if (text === null || content === undefined || content === text) {
      return refused(
        finding === undefined
          ? 'no firewall of this system is known to shut ssh out'
          : `${vendor} is not written in the usual way`,
        'Add a rule for ssh in a rescue shell.',
      );
    }
    return planned([{ kind: 'write-file', path: vendor, content }]);
  },
};
