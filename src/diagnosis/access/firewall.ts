import { iptablesShutOut, nftShutsOut, ufwShutsOut } from '../../system-image/firewall-rules.ts';
import { readSshService } from '../../system-image/ssh-service.ts';
import { readSshdConfig, sshdValues } from '../../system-image/sshd-config.ts';
import type { SystemFiles } from '../../system-image/system-files.ts';
import { startsAtBoot, type Units } from '../../system-image/units.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';

type Shut = { readonly path: string; readonly text: string };

type Look = (files: SystemFiles, ports: readonly string[]) => Promise<Shut | null>;

type Firewall = { readonly services: readonly string[]; readonly look: Look };

const nftables: Look = async (files, ports) => {
  for (const path of ['/etc/nftables.conf', '/etc/sysconfig/nftables.conf']) {
    const chain = nftShutsOut((await files.read(path)) ?? '', ports);
    if (chain !== null) return { path, text: `chain ${chain}: policy drop, no rule for ssh` };
  }
  return null;
};

const iptables: Look = async (files, ports) => {
  for (const path of ['/etc/iptables/rules.v4', '/etc/sysconfig/iptables']) {
    if (iptablesShutOut((await files.read(path)) ?? '', ports)) {
      return { path, text: 'INPUT drops what no rule accepts, and none accepts ssh' };
    }
  }
  return null;
};

const ufw: Look = async (files, ports) => {
  const [conf, defaults, user, before] = await Promise.all(
    ['/etc/ufw/ufw.conf', '/etc/default/ufw', '/etc/ufw/user.rules', '/etc/ufw/before.rules'].map(
      async (path) => (await files.read(path)) ?? '',
    ),
  );
  const on = /^ENABLED=yes/im.test(conf ?? '');
  const drops = /^DEFAULT_INPUT_POLICY="?(?:DROP|REJECT)/m.test(defaults ?? '');
  if (!on || !drops || user === '' || !ufwShutsOut(user ?? '', before ?? '', ports)) return null;
  return { path: '/etc/ufw/user.rules', text: 'ufw drops by default, and no rule allows ssh' };
};

const opens = (zone: string, ports: readonly string[]): boolean =>
  /<service name="ssh"\s*\/>|<rule|target="(?:ACCEPT|DROP|%%REJECT%%)"/.test(zone) ||
  ports.some((port) => zone.includes(`port="${port}"`)) ||
  /port="\d+-\d+"/.test(zone);

const firewalld: Look = async (files, ports) => {
  const places = ['/etc/firewalld/zones', '/usr/lib/firewalld/zones'];
  const conf = (await files.read('/etc/firewalld/firewalld.conf')) ?? '';
  const name = /^DefaultZone=(\S+)/m.exec(conf)?.[1] ?? 'public';
  const own = (await files.list('/etc/firewalld/zones')) ?? [];
  const others = await Promise.all(own.map((each) => files.read(`${places[0]}/${each}`)));
  // With a zone for an interface or a network of its own, the default zone decides nothing.
  if (others.some((text) => /<(?:interface|source)\s/.test(text ?? ''))) return null;
  for (const place of places) {
    const path = `${place}/${name}.xml`;
    const zone = await files.read(path);
    if (zone === null) continue;
    return opens(zone, ports) ? null : { path, text: `the zone ${name} does not allow ssh` };
  }
  return null;
};

const firewalls: readonly Firewall[] = [
  { services: ['nftables'], look: nftables },
  { services: ['netfilter-persistent', 'iptables'], look: iptables },
  { services: ['ufw'], look: ufw },
  { services: ['firewalld'], look: firewalld },
];

const shuts = async (
  files: SystemFiles,
  units: Units,
  ports: readonly string[],
): Promise<readonly Shut[]> => {
  const found = await Promise.all(
    firewalls.map(async ({ services, look }) => {
      const masked = services.every((name) => units.masked.has(`${name}.service`));
      const started = !masked && (await startsAtBoot(files, units, services));
      return started ? look(files, ports) : null;
    }),
  );
  return found.filter((shut) => shut !== null);
};

/** Firewalls that start at boot and let no ssh connection in. Only what is certain is told. */
export const firewallCheck: Check = {
  area: 'access',
  finds: ['access.firewall-shuts-ssh-out'],
  run: async ({ files }) => {
    const { program, enabled, units } = await readSshService(files);
    if (program === null || !enabled) return [];
    const named = sshdValues(await readSshdConfig(files), 'port');
    const ports = named.length === 0 ? ['22'] : named;
    return (await shuts(files, units, ports)).map(({ path, text }) => ({
      id: 'access.firewall-shuts-ssh-out',
      severity: 'warning' as const,
      title: `The firewall lets nobody in to the ssh server on port ${ports.join(', ')}`,
      subject: path,
      evidence: [fileEvidence(path, null, text)],
      meaning: 'Every connection to the ssh server is dropped before it answers.',
      repair: 'access.open-ssh-port',
    }));
  },
};
