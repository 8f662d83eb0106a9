import { nsswitchPath, type SwitchLine, servicesOf } from '../../system-image/nsswitch.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';

const hostnamePath = '/etc/hostname';

/** hostname_is_valid of systemd: letters, digits, `-`, `_`, dots that stand alone, `?` as a wildcard. */
const isHostname = (name: string): boolean =>
  name.length <= 64 && /^[A-Za-z0-9?](?:[A-Za-z0-9_?-]|\.(?=[A-Za-z0-9?]))*$/.test(name);

const hostnameFinding = (line: number | null, text: string, reason: string): Finding => ({
  id: 'network.hostname-invalid',
  severity: 'warning',
  title: `${hostnamePath} ${reason}`,
  subject: hostnamePath,
  evidence: [fileEvidence(hostnamePath, line, text)],
  meaning: 'The machine calls itself localhost: mail, certificates and clusters go by the name.',
  repair: 'network.hostname',
});

const hostname = async ({ files, facts }: Subject): Promise<readonly Finding[]> => {
  const text = await files.read(hostnamePath, 64 * 1024);
  if (text === null || text.trim() === '') return [];
  const lines = text
    .split('\n')
    .map((line, index) => ({ line: index + 1, text: line.trim() }))
    .filter((line) => line.text !== '' && !line.text.startsWith('#'));
  const [first, ...more] = lines;
  if (first === undefined) return [];
  if (!isHostname(first.text)) {
    return [hostnameFinding(first.line, first.text, 'holds what is no host name')];
  }
  // systemd takes the first line; hostname -F of the others takes it too, with all that follows.
  if (more.length === 0 || facts.init === 'systemd') return [];
  const text2 = more.map((line) => line.text).join(' ');
  return [hostnameFinding(more[0]?.line ?? null, text2, 'holds more than one name')];
};

const hostsPath = '/etc/hosts';

/** nss-myhostname and nss-resolve know localhost without a file. */
const knowsLocalhost = (hostSources: readonly string[]): boolean =>
  hostSources.some((source) => /\b(?:myhostname|resolve)\b/.test(source));

const hosts = async (
  { files }: Subject,
  hostSources: readonly string[],
): Promise<readonly Finding[]> => {
  const text = await files.read(hostsPath);
  const covered = knowsLocalhost(hostSources);
  if (text === null) {
    const missing = (await files.status(hostsPath)) === null;
    // Systems made without an installer do without, and most programs do not mind.
    return !missing
      ? []
      : [
          {
            id: 'network.hosts-missing',
            severity: 'info',
            title: `${hostsPath} is missing`,
            subject: hostsPath,
            evidence: [fileEvidence(hostsPath, null, 'is missing')],
            meaning: covered
              ? 'The name localhost is known without it.'
              : 'The name localhost is asked of the name server.',
            repair: null,
          },
        ];
  }
  const local = text
    .split('\n')
    .map((line) => line.replace(/#.*$/, '').trim().split(/\s+/))
    .some(
      ([address = '', ...names]) => /^127\.|^::1$/.test(address) && names.includes('localhost'),
    );
  if (local || covered) return [];
  return [
    {
      id: 'network.hosts-no-localhost',
      severity: 'warning',
      title: `${hostsPath} has no line for localhost`,
      subject: hostsPath,
      evidence: [fileEvidence(hostsPath, null, 'no line gives localhost an address')],
      meaning:
        'Services that talk to localhost wait for a name server or fail: databases, mail, desktops.',
      repair: 'network.hosts-localhost',
    },
  ];
};

/** Any of these is an arrangement that may be meant. */
const hostSources =
  /\b(?:files|dns|resolve|myhostname|mymachines|mdns\w*|libvirt\w*|wins|nis\w*|db|ldap|sss|altfiles|my_?\w+)\b/;

/** Where hosts are looked up; accounts are the userland's. */
const nameSwitch = (found: SwitchLine | null): readonly Finding[] =>
  found === null || hostSources.test(found.services.join(' '))
    ? []
    : [
        {
          id: 'network.nsswitch-broken',
          severity: 'warning',
          title: `${nsswitchPath} names no source for hosts`,
          subject: `${nsswitchPath}:hosts`,
          evidence: [fileEvidence(nsswitchPath, found.line, found.text)],
          meaning: 'No name is resolved, though the network is up.',
          repair: 'network.nsswitch',
        },
      ];

/** The machine's own name, localhost, and where names are looked up. */
export const namesCheck: Check = {
  area: 'network',
  finds: [
    ...['network.hostname-invalid', 'network.hosts-missing', 'network.hosts-no-localhost'],
    'network.nsswitch-broken',
  ],
  run: async (subject) => {
    const text = (await subject.files.read(nsswitchPath)) ?? '';
    const line = servicesOf(text, 'hosts');
    const found = await Promise.all([hostname(subject), hosts(subject, line?.services ?? [])]);
    return [...found.flat(), ...nameSwitch(line)];
  },
};
