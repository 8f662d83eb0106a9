import { describe, expect, test } from 'vitest';
import { findingAt, planOn, writtenBy } from '../../../fixtures/repair-tools.ts';
import { networkdSection, withoutTabs } from './configuration.ts';
import { interfacesLine, interfacesMissing } from './interfaces.ts';
import {
  hostnameRepair,
  hostsLocalhost,
  nsswitchRepair,
  resolvConfRepair,
  withLocalhost,
} from './names.ts';
import { enableService, unmaskService } from './services.ts';
import { unpinNames } from './unpin.ts';

describe('ifupdown', () => {
  const path = '/etc/network/interfaces';
  const mend = (text: string, ...lines: readonly number[]) =>
    planOn(
      interfacesLine,
      { 'etc/network/interfaces': text },
      lines.map((line) => findingAt(path, line)),
    );

  test('slips are corrected, and what belongs to nothing becomes a comment', async () => {
    const plan = await mend(
      'adress 1.2.3.4\nIface eth0 inet  dchp x\n\taddress\niface b inet dhcp',
      1,
      2,
      3,
    );
    expect(writtenBy(plan, path)).toBe(
      '#adress 1.2.3.4\niface eth0 inet  dhcp x\n#\taddress\niface b inet dhcp',
    );
    expect(writtenBy(await mend('iface eth0 inet  dchp x\n', 1), path)).toBe(
      'iface eth0 inet  dhcp x\n',
    );
  });

  test('what cannot be told is refused', async () => {
    expect((await mend('iface eth0 inet foo\n', 1)).kind).toBe('refused');
    expect((await mend('iface eth0\n', 1)).kind).toBe('refused');
  });

  test('a lost file comes back when one interface had a lease', async () => {
    const lease = { 'var/lib/dhcp/dhclient.ens3.leases': 'x', 'var/lib/dhcp/dhclient.leases': '' };
    expect(writtenBy(await planOn(interfacesMissing, lease), path)).toContain(
      'allow-hotplug ens3\niface ens3 inet dhcp\n',
    );
    const two = { ...lease, 'var/lib/dhcp/dhclient.ens4.leases': 'x' };
    expect((await planOn(interfacesMissing, two)).kind).toBe('refused');
    expect((await planOn(interfacesMissing, {})).kind).toBe('refused');
  });
});

describe('configuration files', () => {
  test('a section name is closed or corrected', async () => {
    const path = '/etc/systemd/network/a.network';
    const mend = (text: string, line: number | null) =>
      planOn(networkdSection, { 'etc/systemd/network/a.network': text }, [findingAt(path, line)]);
    expect(writtenBy(await mend('[Match\nName=e*\n', 1), path)).toBe('[Match]\nName=e*\n');
    expect(writtenBy(await mend('# x\n[Macth]\nName=e*\n', 2), path)).toBe(
      '# x\n[Match]\nName=e*\n',
    );
    expect((await mend('[Network]\nDHCP=yes\n', null)).kind).toBe('refused');
    expect((await mend('[Foo\n', 1)).kind).toBe('refused');
  });

  test('tabs become blanks only when the file can then be read', () => {
    expect(withoutTabs('network:\n\tversion: 2\n\tethernets:\n\t\teth0:\n\t\t\tdhcp4: yes\n')).toBe(
      'network:\n  version: 2\n  ethernets:\n    eth0:\n      dhcp4: yes\n',
    );
    expect(withoutTabs('network:\n\tversion: "2\n')).toBeNull();
    expect(withoutTabs('network:\n  version: 2\n')).toBeNull();
  });
});

describe('pins', () => {
  const path = '/etc/udev/rules.d/70-persistent-net.rules';
  const rule = (mac: string, name: string) =>
    `SUBSYSTEM=="net", ATTR{address}=="${mac}", NAME="${name}"\n`;
  const one = rule('52:54:00:00:00:01', 'eth0');

  test('the rule keeps its name for whichever Ethernet card there is', async () => {
    const plan = await planOn(unpinNames, { [path]: one });
    expect(writtenBy(plan, path)).toBe(
      'SUBSYSTEM=="net", ATTR{address}=="?*", ATTR{type}=="1", NAME="eth0"\n',
    );
    expect(await planOn(unpinNames, { [path]: writtenBy(plan, path) })).toMatchObject({
      kind: 'changes',
      changes: [],
    });
  });

  test('several cards, and netplan, are refused', async () => {
    const two = one + rule('52:54:00:00:00:02', 'eth1');
    expect((await planOn(unpinNames, { [path]: two })).kind).toBe('refused');
    const netplan =
      'network:\n  ethernets:\n    a:\n      match:\n        macaddress: 52:54:00:00:00:01\n';
    expect((await planOn(unpinNames, { 'etc/netplan/a.yaml': netplan })).kind).toBe('refused');
  });
});

describe('names', () => {
  test('the one valid name in the file, or that of 127.0.1.1', async () => {
    const name = async (text: string, hosts = '') => {
      const plan = await planOn(hostnameRepair, { 'etc/hostname': text, 'etc/hosts': hosts });
      return plan.kind === 'refused' ? 'refused' : writtenBy(plan, '/etc/hostname');
    };
    expect(await name('$(x) web-3\n')).toBe('web-3\n');
    expect(await name('$(x)\n', '127.0.1.1\tweb-3.example.org web-3\n')).toBe('web-3\n');
    expect(await name('two names $\n')).toBe('refused');
    expect(await name('$(x)\n')).toBe('refused');
  });

  test('localhost is added to its line, or on one of its own, once', async () => {
    expect(withLocalhost('# h\n127.0.0.1 web # x\n')).toBe('# h\n127.0.0.1\tlocalhost web # x\n');
    expect(withLocalhost('10.0.0.1 db\n')).toBe('127.0.0.1\tlocalhost\n10.0.0.1 db\n');
    const plan = await planOn(hostsLocalhost, { 'etc/hosts': '127.0.0.1\n' });
    expect(writtenBy(plan, '/etc/hosts')).toBe('127.0.0.1\tlocalhost\n');
  });

  test('the usual sources of hosts are set where there are none', async () => {
    const path = '/etc/nsswitch.conf';
    const plan = await planOn(
      nsswitchRepair,
      { [path]: 'passwd: files\nhosts:          \ngroup: files\n' },
      [findingAt(path, 2)],
    );
    expect(writtenBy(plan, path)).toBe('passwd: files\nhosts:          files dns\ngroup: files\n');
  });
});

describe('resolv.conf and services', () => {
  const link = (to: string) => ({ 'etc/resolv.conf': { link: to } });
  const unit = (name: string) => ({
    [`usr/lib/systemd/system/${name}`]: '[Install]\nWantedBy=multi-user.target\n',
  });
  const resolved = { 'usr/lib/systemd/systemd-resolved': 'x', ...unit('systemd-resolved.service') };
  const wants = '/etc/systemd/system/multi-user.target.wants';
  const enabled = { [`${wants}/systemd-resolved.service`]: { link: '/x' } };

  test('leads to resolved when that runs', async () => {
    expect(
      await planOn(resolvConfRepair, { ...link('/run/resolvconf/x'), ...resolved, ...enabled }),
    ).toMatchObject({
      changes: [{ kind: 'make-link', to: '../run/systemd/resolve/stub-resolv.conf' }],
    });
  });

  test('has resolved started when the link is its own', async () => {
    const stub = link('../run/systemd/resolve/stub-resolv.conf');
    expect(await planOn(resolvConfRepair, { ...stub, ...resolved })).toMatchObject({
      changes: [
        { kind: 'make-directory', path: wants },
        { kind: 'make-link', path: `${wants}/systemd-resolved.service` },
      ],
    });
  });

  test('takes a copy with name servers, and refuses without', async () => {
    const gone = link('/run/resolvconf/resolv.conf');
    const copy = { 'etc/resolv.conf.bak': 'nameserver 192.0.2.1\n' };
    const plan = await planOn(resolvConfRepair, { ...gone, ...copy });
    expect(writtenBy(plan, '/etc/resolv.conf')).toBe('nameserver 192.0.2.1\n');
    expect((await planOn(resolvConfRepair, gone)).kind).toBe('refused');
  });

  test('a mask goes, and links are made where they are gone', async () => {
    const tree = { ...unit('networking.service'), 'etc/systemd/system/x': '' };
    const name = findingAt('x', null, 'networking.service');
    expect(await planOn(unmaskService, tree, [name])).toMatchObject({
      changes: [
        { kind: 'remove', path: '/etc/systemd/system/networking.service' },
        { kind: 'make-directory' },
        { kind: 'make-link', to: '/usr/lib/systemd/system/networking.service' },
      ],
    });
    const other = findingAt('x', null, 'NetworkManager.service');
    expect((await planOn(enableService, tree, [name, other])).kind).toBe('refused');
  });
});
