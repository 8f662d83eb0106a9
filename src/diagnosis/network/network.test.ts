import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeDynamicElf } from '../../../fixtures/make-dynamic-elf.ts';
import { makeElf } from '../../../fixtures/make-elf.ts';
import { makeTree, type TreeEntry } from '../../../fixtures/make-tree.ts';
import { ownedByRoot } from '../../../fixtures/owned-by-root.ts';
import { answering, subjectOf } from '../../../fixtures/subject.ts';
import { RescueError } from '../../host/rescue-error.ts';
import type { Subject } from '../subject.ts';
import { networkChecks } from './checks.ts';

const program: TreeEntry = { program: makeElf({ machine: 62 }) };

const base: Readonly<Record<string, TreeEntry>> = {
  'etc/os-release': 'ID=debian\nVERSION_ID="12"\n',
  'etc/machine-id': '0123456789abcdef0123456789abcdef\n',
  'usr/lib/systemd/systemd': program,
  'sbin/init': { link: '/usr/lib/systemd/systemd' },
  'bin/sh': program,
  'lib/os-release': '',
  'etc/hostname': 'web-3\n',
  'etc/hosts': '127.0.0.1\tlocalhost\n127.0.1.1\tweb-3\n',
  'etc/nsswitch.conf': 'passwd: files systemd\nhosts: files dns\n',
  'etc/group': 'root:x:0:\nsystemd-network:x:998:\n',
};

const wants = (unit: string) => ({
  [`etc/systemd/system/multi-user.target.wants/${unit}`]: { link: `/lib/systemd/system/${unit}` },
  [`usr/lib/systemd/system/${unit}`]: '[Install]\nWantedBy=multi-user.target\n',
});

const ifupdown = {
  ...base,
  ...wants('networking.service'),
  'sbin/ifup': program,
  'usr/lib/ifupdown/settle-dad.sh': '#!/bin/sh\n',
  'etc/network/interfaces': 'auto lo\niface lo inet loopback\nauto eth0\niface eth0 inet dhcp\n',
};

const networkFile = 'etc/systemd/network/20-wired.network';

const networkd = {
  ...base,
  ...wants('systemd-networkd.service'),
  'usr/lib/systemd/systemd-networkd': program,
  [networkFile]: '[Match]\nName=en*\n\n[Network]\nDHCP=yes\n',
};

const keyfile = 'etc/NetworkManager/system-connections/office.nmconnection';

const networkManager = {
  ...base,
  ...wants('NetworkManager.service'),
  'usr/sbin/NetworkManager': program,
  [keyfile]: '[connection]\nid=office\ntype=ethernet\n\n[ipv4]\nmethod=auto\n',
};

const netplan = {
  ...networkd,
  'usr/sbin/netplan': program,
  'etc/netplan/50-cloud-init.yaml':
    'network:\n  version: 2\n  ethernets:\n    eth0: {dhcp4: true}\n',
};

type Entries = Readonly<Record<string, TreeEntry | null>>;

/** @param journal what journalctl prints, for a system that keeps one, or how it fails. */
const found = async (
  entries: Entries,
  modes: Readonly<Record<string, number>> = {},
  journal: string | RescueError | null = null,
  runInside: Subject['runInside'] = async () => null,
) => {
  const there = Object.entries(entries).flatMap(([path, entry]) =>
    entry === null ? [] : [[path, entry] as const],
  );
  await using tree = await makeTree(Object.fromEntries(there));
  const all = { ...(entries[keyfile] === undefined ? {} : { [keyfile]: 0o600 }), ...modes };
  for (const [path, mode] of Object.entries(all)) await chmod(join(tree.root, path), mode);
  const subject = await subjectOf(tree.root);
  const run: Subject['host']['run'] = async ({ args }) => {
    if (journal instanceof RescueError && !args.includes('--lines=1')) throw journal;
    const stdout = typeof journal === 'string' ? journal : '';
    return { exitCode: 0, stdout, stderr: '', milliseconds: 1 };
  };
  const host = journal === null ? subject.host : { ...subject.host, run };
  const owned = { ...subject, host, runInside, files: ownedByRoot(subject.files) };
  const findings = (await Promise.all(networkChecks.map((check) => check.run(owned)))).flat();
  const known = new Set(networkChecks.flatMap(({ finds }) => finds));
  for (const { id } of findings) expect(known).toContain(id);
  return findings.map(({ severity, id, subject: about }) => `${severity} ${id} ${about}`);
};

test.each(Object.entries({ ifupdown, networkd, networkManager, netplan }))(
  'a healthy system with %s gives nothing',
  async (_, entries) => {
    expect(await found(entries)).toEqual([]);
  },
);

test('a minimal system without network is told of and no more', async () => {
  expect(await found({ ...base, 'etc/hosts': null, 'etc/hostname': null })).toEqual([
    'info network.nothing-configured network',
    'info network.hosts-missing /etc/hosts',
  ]);
});

describe('services', () => {
  test('what the network is configured for is masked or not started', async () => {
    const masked = { 'etc/systemd/system/networking.service': { link: '/dev/null' } };
    expect(await found({ ...ifupdown, ...masked })).toEqual([
      'critical network.service-masked networking.service',
    ]);
    const link = 'etc/systemd/system/multi-user.target.wants/systemd-networkd.service';
    expect(await found({ ...networkd, [link]: null })).toEqual([
      'warning network.service-disabled systemd-networkd.service',
    ]);
  });

  test('one that starts and has no program, or lacks a library', async () => {
    const start = (path: string) => `[Service]\nExecStart=!!${path}\n`;
    const path = 'usr/lib/systemd/systemd-networkd';
    const unit = { 'usr/lib/systemd/system/systemd-networkd.service': start(`/${path}`) };
    const gone = `network.service-program /${path}`;
    expect(await found({ ...networkd, ...unit, [path]: null })).toEqual([`critical ${gone}`]);
    // With another one, and without anything that it is to configure, it is no more than a warning.
    const other = { ...networkManager, ...networkd, ...unit };
    expect(await found({ ...other, [path]: null })).toEqual([`warning ${gone}`]);
    const idle = { ...networkd, ...unit, [networkFile]: null };
    expect(await found({ ...idle, [path]: null })).toEqual([`warning ${gone}`]);
    const lacks = { program: makeDynamicElf({ needed: ['libsystemd-shared-252.so'] }) };
    expect(await found({ ...networkd, ...unit, [path]: lacks })).toEqual([
      'critical network.service-program libsystemd-shared-252.so',
    ]);
  });

  test('one that runs does for all', async () => {
    const masked = { 'etc/systemd/system/networking.service': { link: '/dev/null' } };
    expect(await found({ ...ifupdown, ...networkd, ...masked })).toEqual([]);
  });
});

describe('ifupdown', () => {
  const path = 'etc/network/interfaces';

  test('a line that it cannot read is critical, unless something else brings up the network', async () => {
    const broken = { [path]: 'iface eth0 inet dchp\n' };
    const fault = 'network.interfaces-invalid /etc/network/interfaces:1';
    expect(await found({ ...ifupdown, ...broken })).toEqual([`critical ${fault}`]);
    expect(await found({ ...ifupdown, ...networkd, ...broken })).toEqual([`warning ${fault}`]);
  });

  test('missing, and an interface that nothing defines', async () => {
    expect(await found({ ...ifupdown, [path]: null })).toEqual([
      'critical network.interfaces-missing /etc/network/interfaces',
    ]);
    const undefined1 = { [path]: 'auto lo eth1\niface lo inet loopback\niface eth0 inet dhcp\n' };
    expect(await found({ ...ifupdown, ...undefined1 })).toEqual([
      'info network.interfaces-undefined /etc/network/interfaces:1:eth1',
    ]);
  });

  test('ifupdown2 and others have grammars of their own', async () => {
    const other = { [path]: 'iface swp1\n', 'usr/share/ifupdown2/x': '' };
    expect(await found({ ...ifupdown, ...other })).toEqual([]);
  });
});

describe('networkd', () => {
  const invalid = `critical network.networkd-invalid /${networkFile}`;

  test('a section without its bracket, and none to match', async () => {
    expect(await found({ ...networkd, [networkFile]: '[Match\nName=en*\n' })).toEqual([invalid]);
    expect(await found({ ...networkd, [networkFile]: '[Network]\nDHCP=yes\n' })).toEqual([invalid]);
  });

  test('one of several is a warning', async () => {
    const more = { 'etc/systemd/network/30-x.network': '[Network]\nDHCP=yes\n' };
    expect(await found({ ...networkd, ...more })).toEqual([
      'warning network.networkd-invalid /etc/systemd/network/30-x.network',
    ]);
  });

  test('a file that its user cannot read', async () => {
    expect(await found(networkd, { [networkFile]: 0o640 })).toEqual([
      `critical network.networkd-unreadable /${networkFile}`,
    ]);
  });
});

describe('netplan and NetworkManager', () => {
  const path = 'etc/netplan/50-cloud-init.yaml';

  test.each(['network:\n\tversion: 2\n', 'a: "x\n', '- network\n', 'netwrok:\n  version: 2\n'])(
    'netplan cannot read %j',
    async (text) => {
      expect(await found({ ...netplan, [path]: text })).toEqual([
        `critical network.netplan-invalid /${path}`,
      ]);
    },
  );

  const ethernet = (lines: string) => `network:\n  ethernets:\n    eth0:\n      ${lines}\n`;

  test.each([
    ...['dhcp4: ture', 'dhcp4:', 'dhcp4: 1', 'addresses: [10.0.0.5]', 'addresses: 10.0.0.5/24'],
    ...['addresses: [10.0.0.5/33]', 'addresses:\n        - fd00::5:\n            label: x'],
  ])('nor a value that no version of it takes: %j', async (line) => {
    expect(await found({ ...netplan, [path]: ethernet(line) })).toEqual([
      `critical network.netplan-invalid /${path}`,
    ]);
  });

  test.each([
    ...['dhcp4: Yes', 'dhcp4: "true"', 'addresses: [10.0.0.5/24, "fd00::5/64"]', 'addresses: []'],
    'addresses:\n        - 10.0.0.5/24:\n            label: x',
    'nameservers: {addresses: [10.0.0.1]}\n      routes: [{to: default, via: 10.0.0.1}]',
  ])('%j is right', async (line) => {
    expect(await found({ ...netplan, [path]: ethernet(line) })).toEqual([]);
  });

  test('its own generator knows better than reading, where it can be run', async () => {
    const generate = { 'usr/libexec/netplan/generate': program };
    const answer = async (text: string, result: Parameters<typeof answering>[0]) => {
      const entries = { ...netplan, ...generate, [path]: text };
      return found(entries, {}, null, answering(result));
    };
    const refusal = (rest: string) => ({ exitCode: 1, stderr: `noise\n/tmp/netplan/${rest}\n` });
    const said = `${path}:4:7: Error in network definition: unknown key 'dhpc4'`;
    const critical = [`critical network.netplan-invalid /${path}`];
    expect(await answer(ethernet('dhpc4: true'), () => refusal(said))).toEqual(critical);
    expect(await answer(ethernet('dhcp4: ture'), () => ({ exitCode: 0 }))).toEqual([]);
    // Whatever keeps it from an answer leaves it to reading.
    const stopped = () => ({ exitCode: 127, stderr: 'cp: not found' });
    expect(await answer(ethernet('dhcp4: ture'), stopped)).toEqual(critical);
    expect(await answer(ethernet('dhcp4: true'), stopped)).toEqual([]);
  });

  test('without netplan its files mean nothing', async () => {
    expect(await found({ ...networkd, [path]: '\t' })).toEqual([]);
  });

  test('a key file that others can read, or that is none', async () => {
    const invalid = { [keyfile]: '[connection]\nid\n' };
    expect(await found(networkManager, { [keyfile]: 0o644 })).toEqual([
      `critical network.keyfile-mode /${keyfile}`,
    ]);
    expect(await found({ ...networkManager, ...invalid })).toEqual([
      `critical network.keyfile-invalid /${keyfile}`,
    ]);
    // Another connection that is right, or another service, keeps the machine in reach.
    const second = { 'etc/NetworkManager/system-connections/b': networkManager[keyfile] };
    const modes = { 'etc/NetworkManager/system-connections/b': 0o600 };
    expect(await found({ ...networkManager, ...second, ...invalid }, modes)).toEqual([
      `warning network.keyfile-invalid /${keyfile}`,
    ]);
    expect(await found({ ...networkd, ...networkManager, ...invalid })).toEqual([
      `warning network.keyfile-invalid /${keyfile}`,
    ]);
  });

  test('settings of NetworkManager that it cannot read keep it from starting', async () => {
    const conf = { 'etc/NetworkManager/conf.d/dns.conf': '[main]\ndns none\n' };
    const about = 'network.manager-config-invalid /etc/NetworkManager/conf.d/dns.conf';
    expect(await found({ ...networkManager, ...conf })).toEqual([`critical ${about}`]);
    expect(await found({ ...networkd, ...networkManager, ...conf })).toEqual([`warning ${about}`]);
    const right = { 'etc/NetworkManager/NetworkManager.conf': '# x\n[main]\nplugins+=ifupdown\n' };
    expect(await found({ ...networkManager, ...right })).toEqual([]);
  });
});

describe('names pinned to a card', () => {
  const rules = 'etc/udev/rules.d/70-persistent-net.rules';
  const rule = 'SUBSYSTEM=="net", ACTION=="add", ATTR{address}=="52:54:00:AA:bb:01", NAME="eth0"\n';
  const log = (...macs: readonly string[]) => ({
    'var/log/syslog': macs
      .map((mac) => `web kernel: Linux version 6\nweb dhclient: Listening on LPF/eth0/${mac}\n`)
      .join(''),
  });

  test('are only told of while nothing says that the card is another one', async () => {
    const told = [`info network.names-pinned /${rules}`];
    expect(await found({ ...ifupdown, [rules]: rule })).toEqual(told);
    const same = log('06:00:00:00:00:01', '52:54:00:aa:bb:01');
    expect(await found({ ...ifupdown, [rules]: rule, ...same })).toEqual(told);
  });

  test('are critical when the last start had other cards', async () => {
    const moved = log('52:54:00:aa:bb:01', '06:00:00:00:00:01');
    expect(await found({ ...ifupdown, [rules]: rule, ...moved })).toEqual([
      `critical network.names-pinned-elsewhere /${rules}`,
    ]);
  });

  const journal = (...lines: readonly (readonly [string, string])[]) =>
    lines
      .map(([boot, message]) =>
        JSON.stringify({
          ...{ __REALTIME_TIMESTAMP: '1', _BOOT_ID: boot, MESSAGE: message },
          ...(boot === 'container' ? {} : { _TRANSPORT: 'kernel' }),
        }),
      )
      .join('\n');
  const withJournal = {
    [`var/log/journal/${'0'.repeat(32)}/system.journal`]: 'x',
  };

  test('the journal of a system that has no text logs is read', async () => {
    const spoken = (address: string) =>
      `e1000 0000:00:03.0 eth0: (PCI:33MHz:32-bit) ${address.toUpperCase()}`;
    const [own, other] = ['52:54:00:aa:bb:01', '06:00:00:00:00:01'];
    const entries = { ...ifupdown, [rules]: rule, ...withJournal };
    const told = [`info network.names-pinned /${rules}`];
    const moved = [`critical network.names-pinned-elsewhere /${rules}`];
    const [first, last] = [['a', spoken(own)] as const, ['b', spoken(other)] as const];
    const start = ['b', 'Linux version 6.1'] as const;
    expect(await found(entries, {}, journal(first, start, last))).toEqual(moved);
    expect(await found(entries, {}, journal(start, last, ['c', spoken(own)]))).toEqual(told);
    const silent = ['c', 'nothing of a card'] as const;
    expect(await found(entries, {}, journal(start, last, silent))).toEqual(told);
    const rescued = journal(start, last, ['container', 'eth0: Gained carrier']);
    expect(await found(entries, {}, rescued)).toEqual(moved);
  });

  test('a card whose driver never says its address may be the one that is meant', async () => {
    const entries = { ...ifupdown, [rules]: rule, ...withJournal };
    const told = [`info network.names-pinned /${rules}`];
    const start = ['b', 'Linux version 6.1'] as const;
    const other = [
      ['b', 'e1000 0000:00:03.0 eth1: (PCI:33MHz:32-bit) 06:00:00:00:00:01'],
      ['b', 'e1000 0000:00:03.0 enp0s3: renamed from eth1'],
    ] as const;
    for (const line of [
      'virtio_net virtio1 enp1s0: renamed from eth0',
      'virtio_net virtio1 lan0: renamed from eth0',
      'ixgbe 0000:03:00.0 eth0: NIC Link is Up 10 Gbps, Flow Control: None',
    ]) {
      const silent = ['b', line] as const;
      expect(await found(entries, {}, journal(start, silent, ...other)), line).toContain(told[0]);
      expect(await found(entries, {}, journal(start, ...other, silent)), line).toContain(told[0]);
    }
    // Nor may it be named at all: where the kernel gave eth1, it had given eth0 before.
    expect(await found(entries, {}, journal(start, ...other))).toContain(told[0]);
    const only = ['b', 'e1000 0000:00:03.0 eth0: (PCI:33MHz:32-bit) 06:00:00:00:00:01'] as const;
    // Where the beginning of the boot is not in the answer, other cards may have been named there.
    expect(await found(entries, {}, journal(only))).toContain(told[0]);
    expect(await found(entries, {}, journal(start, only))).toContain(
      `critical network.names-pinned-elsewhere /${rules}`,
    );
    // The addresses of an older log do not complete it.
    const old = log('06:00:00:00:00:01');
    const silent = journal(start, ['b', 'virtio_net virtio1 enp1s0: renamed from eth0']);
    expect(await found({ ...entries, ...old }, {}, silent)).toContain(told[0]);
  });

  test('where the journal gives no answer the other logs are read', async () => {
    const fail = (code: string) => new RescueError({ code, message: 'journalctl said too much' });
    const entries = { ...ifupdown, [rules]: rule, ...withJournal, ...log('06:00:00:00:00:01') };
    expect(await found(entries, {}, fail('COMMAND_FAILED'))).toEqual([
      `critical network.names-pinned-elsewhere /${rules}`,
    ]);
    await expect(found(entries, {}, fail('INTERRUPTED'))).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
  });

  test('of a line that is far too long in a log only the beginning is looked at', async () => {
    const start = 'web kernel: Linux version 6\n';
    const syslog = `${start}${'ci-info: | e '.repeat(30_000)}\n${' eth: 06:00:'.repeat(30_000)}\n`;
    expect(await found({ ...ifupdown, [rules]: rule, 'var/log/syslog': syslog })).toEqual([
      `info network.names-pinned /${rules}`,
    ]);
  });

  test('names of another machine, as far as the last start tells', async () => {
    const renamed = (to: string) => ['b', `virtio_net virtio1 ${to}: renamed from eth0`] as const;
    const before = ['a', 'e1000: eth0 NIC Link is Up 1000 Mbps Full Duplex'] as const;
    const elsewhere = ['warning network.names-elsewhere /etc/network/interfaces'];
    const entries = { ...ifupdown, ...withJournal };
    expect(await found(entries, {}, journal(before, renamed('enp1s0')))).toEqual(elsewhere);
    expect(await found(entries, {}, journal(renamed('enp1s0'), before))).toEqual([]);
    expect(await found(entries, {}, journal(renamed('enp1s0'), ['c', 'Linux']))).toEqual([]);
    // A container's card is no card of the machine.
    const container = ['b', 'eth0: renamed from veth12'] as const;
    expect(await found(entries, {}, journal(container))).toEqual([]);
    // A rule gives the name to whichever card there is.
    const rule70 = 'SUBSYSTEM=="net", ATTR{type}=="1", NAME="eth0"\n';
    const given = { ...entries, [rules]: rule70 };
    expect(await found(given, {}, journal(renamed('enp1s0')))).toEqual([]);
    const plan = { ...netplan, [networkFile]: null, ...withJournal };
    const said = journal(['b', 'enp1s0: Gained carrier']);
    expect(await found(plan, {}, said)).toEqual([
      'warning network.names-elsewhere /etc/netplan/50-cloud-init.yaml',
    ]);
    expect(await found({ ...networkd, ...withJournal }, {}, said)).toEqual([]);
    const named = { ...networkd, ...withJournal, [networkFile]: '[Match]\nName=ens3 eth*\n' };
    expect(await found(named, {}, said)).toEqual([
      `warning network.names-elsewhere /${networkFile}`,
    ]);
    for (const pattern of ['e*', 'e[nt]*', '?n*', 'en[ps]*']) {
      const last = { 'etc/systemd/network/99-dhcp.network': `[Match]\nName=${pattern}\n` };
      expect(await found({ ...named, ...last }, {}, said), pattern).toEqual([]);
    }
  });

  test('a match of netplan that is given by an alias is for cards that are not named', async () => {
    const path = 'etc/netplan/50-cloud-init.yaml';
    const said = journal(['b', 'enp1s0: Gained carrier']);
    const start = 'network:\n  version: 2\n';
    const plain = `${start}  ethernets:\n    eth0:\n      dhcp4: true\n`;
    const about = async (text: string) => {
      const entries = { ...netplan, [networkFile]: null, ...withJournal, [path]: text };
      const all = await found(entries, {}, said);
      return all.filter((one) => one.includes('names-elsewhere'));
    };
    expect(await about(plain)).toEqual([`warning network.names-elsewhere /${path}`]);
    const anchor = `x-any: &any\n  match: {name: en*}\nx-name: &name {name: en*}\n`;
    expect(await about(`${anchor}${plain}      match: *name\n`)).toEqual([]);
    expect(await about(`${anchor}${plain}      <<: *any\n`)).toEqual([]);
    expect(await about(`${plain}      <<: {match: {name: en*}}\n`)).toEqual([]);
  });

  test('an address that is set and not matched is no pin', async () => {
    const text = '[Match]\nName=en*\n\n[Link]\nMACAddress=52:54:00:aa:bb:01\n';
    expect(await found({ ...networkd, [networkFile]: text })).toEqual([]);
  });
});

describe('names', () => {
  test('a link to the file of a service that starts is right, others dangle', async () => {
    const stub = { 'etc/resolv.conf': { link: '../run/systemd/resolve/stub-resolv.conf' } };
    const dangling = ['warning network.resolv-conf-dangling /etc/resolv.conf'];
    const resolved = { 'usr/lib/systemd/systemd-resolved': program };
    expect(await found({ ...networkd, ...stub })).toEqual(dangling);
    expect(await found({ ...networkd, ...stub, ...resolved })).toEqual(dangling);
    const started = { ...resolved, ...wants('systemd-resolved.service') };
    expect(await found({ ...networkd, ...stub, ...started })).toEqual([]);
    const own = { 'etc/resolv.conf': { link: '/run/own/resolv.conf' } };
    expect(await found({ ...networkd, ...own })).toEqual([]);
  });

  test('host names', async () => {
    for (const name of ['web-3', 'web_3.example.org', 'WEB', 'web-3\r', '# c\nweb']) {
      expect(await found({ ...networkd, 'etc/hostname': `${name}\n` }), name).toEqual([]);
    }
    for (const name of ['$(hostname)', 'web 3', '-web', 'web..3', 'a'.repeat(65)]) {
      expect(await found({ ...networkd, 'etc/hostname': `${name}\n` }), name).toEqual([
        'warning network.hostname-invalid /etc/hostname',
      ]);
    }
  });

  test('localhost, unless a module knows it anyway', async () => {
    const hosts = { 'etc/hosts': '127.0.0.1 web-3 # localhost\n' };
    expect(await found({ ...networkd, ...hosts })).toEqual([
      'warning network.hosts-no-localhost /etc/hosts',
    ]);
    const knows = { 'etc/nsswitch.conf': 'hosts: files myhostname dns\n' };
    expect(await found({ ...networkd, ...hosts, ...knows })).toEqual([]);
  });

  test('hosts without any source; accounts are not of the network', async () => {
    const text = 'passwd:\nhosts: [NOTFOUND=return]\ngroup: files\n';
    expect(await found({ ...networkd, 'etc/nsswitch.conf': text })).toEqual([
      'warning network.nsswitch-broken /etc/nsswitch.conf:hosts',
    ]);
  });
});

test('cloud-init: broken files and what switches it off', async () => {
  const cloud = {
    ...networkd,
    'usr/bin/cloud-init': program,
    'etc/cloud/cloud.cfg': 'users:\n  - default\n',
    'etc/cloud/cloud.cfg.d/90.cfg': 'datasource_list: [ Ec2, None ]\n',
  };
  expect(await found(cloud)).toEqual([]);
  expect(await found({ ...cloud, 'etc/cloud/cloud.cfg.d/90.cfg': 'a: [b\n' })).toEqual([
    'warning network.cloud-config-broken /etc/cloud/cloud.cfg.d/90.cfg',
  ]);
  const off = ['info network.cloud-init-disabled cloud-init'];
  expect(await found({ ...cloud, 'etc/cloud/cloud-init.disabled': '' })).toEqual(off);
  const unit = 'lib/systemd/system/cloud-init.service';
  const link = 'etc/systemd/system/cloud-init.target.wants/cloud-init.service';
  const started = { ...cloud, [unit]: '[Service]\n', [link]: { link: `/${unit}` } };
  expect(await found(started)).toEqual([]);
  expect(await found({ ...started, [link]: null })).toEqual(off);
  const mask = { 'etc/systemd/system/cloud-init.service': { link: '/dev/null' } };
  expect(await found({ ...started, ...mask })).toEqual(off);
  const grub = (options: string) => ({
    'boot/grub/grub.cfg': `menuentry 'a' {\n linux /vmlinuz root=UUID=r ${options}\n}\n`,
  });
  expect(await found({ ...started, ...grub('ro cloud-init=disabled') })).toEqual(off);
  expect(await found({ ...started, ...grub('ro cloud-init=enabled') })).toEqual([]);
  const own = 'etc/cloud/cloud.cfg.d/99-network.cfg';
  expect(await found({ ...started, [own]: 'network: {config: disabled}\n' })).toEqual([
    `info network.cloud-init-disabled /${own}`,
  ]);
});

test('files of odd kinds in the place of all these do no harm', async () => {
  const all = { ...ifupdown, ...netplan, ...networkManager };
  const odd = Object.keys(all)
    .filter((path) => path.startsWith('etc/') && !path.includes('.wants'))
    .map((path) => [path, { fifo: true }] as const);
  await using tree = await makeTree({ ...all, ...Object.fromEntries(odd) });
  const subject = await subjectOf(tree.root);
  for (const check of networkChecks) expect(await check.run(subject)).toBeInstanceOf(Array);
});
