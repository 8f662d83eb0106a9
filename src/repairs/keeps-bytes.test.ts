import { describe, expect, test } from 'vitest';
import { makeTree } from '../../fixtures/make-tree.ts';
import {
  bytesWrittenBy,
  findingAt,
  planOn,
  toolsWithoutBench,
} from '../../fixtures/repair-tools.ts';
import { subjectOf } from '../../fixtures/subject.ts';
import type { Finding } from '../diagnosis/finding.ts';
import { auditdSuspend } from './access/auditd.ts';
import { authorizedKey } from './access/authorized-keys.ts';
import { commentSshdLine } from './access/comment-sshd-line.ts';
import { hostsDenyLine } from './access/let-in.ts';
import { openSshPort } from './access/open-ssh-port.ts';
import { pamLine } from './access/pam.ts';
import { restoreSshdConfig } from './access/restore-sshd-config.ts';
import { selinuxPolicy } from './access/selinux.ts';
import { accountExpiry, loginShell, rootPassword } from './access/shadow.ts';
import { sudoersLine } from './access/sudoers.ts';
import { settingsEdited, withoutWords } from './boot-loader/command-line-words.ts';
import { setDefault } from './boot-loader/shell-settings.ts';
import { crypttabNofail } from './fstab/crypttab-nofail.ts';
import { mendLines } from './fstab/mend-lines.ts';
import { networkdSection } from './network/configuration.ts';
import { interfacesLine } from './network/interfaces.ts';
import { hostsLocalhost, nsswitchRepair as nsswitchHosts } from './network/names.ts';
import { unpinNames } from './network/unpin.ts';
import { planned } from './plan.ts';
import type { Repair, RepairWishes } from './repair.ts';
import { accountsRepair } from './userland/accounts.ts';
import { inittabRepair } from './userland/inittab.ts';
import { nsswitchRepair } from './userland/nsswitch.ts';
import { preloadRepair } from './userland/preload.ts';
import { unitFileRepair } from './userland/unit-file.ts';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** More than 1 MiB of comments in Latin-1 with all bytes that a line can have, without a line end. */
const everyByte = String.fromCharCode(
  ...Array.from({ length: 0xff }, (_, index) => index + 1).filter((byte) => byte !== 0x0a),
);
const rest = latin1(
  `# caf\xe9\n# caf\xc3\xa9 ${everyByte}.\n${'# donn\xe9es\n'.repeat(130_000)}# end`,
);

type Case = {
  readonly repair: Repair;
  readonly path: string;
  readonly before: string;
  readonly after: string;
  readonly findings?: readonly Finding[];
  readonly wishes?: Partial<RepairWishes>;
  readonly tree?: Readonly<Record<string, string>>;
};

const at = (path: string, line = 1, subject = path): readonly Finding[] => [
  findingAt(path, line, subject),
];

const cases: readonly Case[] = [
  {
    ...{ repair: hostsLocalhost, path: '/etc/hosts' },
    ...{ before: '127.0.0.1 web\n', after: '127.0.0.1\tlocalhost web\n' },
  },
  {
    ...{ repair: hostsDenyLine, path: '/etc/hosts.deny', findings: at('/etc/hosts.deny') },
    ...{ before: 'ALL: ALL\n', after: '#ALL: ALL\n' },
  },
  {
    ...{ repair: commentSshdLine, path: '/etc/ssh/sshd_config' },
    ...{ findings: at('/etc/ssh/sshd_config'), before: 'Prot 22\n', after: '#Prot 22\n' },
  },
  {
    ...{ repair: sudoersLine, path: '/etc/sudoers', findings: at('/etc/sudoers') },
    ...{ before: 'x\n', after: '# x\n' },
  },
  {
    ...{ repair: pamLine, path: '/etc/pam.d/login', findings: at('/etc/pam.d/login') },
    ...{ before: 'aut required pam_unix.so\n', after: 'auth required pam_unix.so\n' },
  },
  {
    ...{ repair: rootPassword, path: '/etc/shadow', wishes: { rootPasswordHash: null } },
    ...{ before: 'root:!$6$a:1:0:9:7:3:1:\n', after: 'root:$6$a:1:0::7:::\n' },
  },
  {
    ...{ repair: accountExpiry, path: '/etc/shadow', findings: at('/etc/shadow', 1, 'ann') },
    ...{ before: 'ann:$6$a:1:0:9:7:3:1:\n', after: 'ann:$6$a:1:0:9:7:::\n' },
  },
  {
    ...{ repair: loginShell, path: '/etc/passwd', findings: at('/etc/passwd', 1, 'root') },
    ...{ before: 'root:x:0:0:r\xe9:/root:/gone\n', after: 'root:x:0:0:r\xe9:/root:/bin/sh\n' },
  },
  {
    ...{ repair: accountsRepair, path: '/etc/group', findings: at('/etc/group') },
    ...{ before: 'a:x:1:\n', after: 'root:x:0:\na:x:1:\n' },
  },
  {
    ...{ repair: auditdSuspend, path: '/etc/audit/auditd.conf' },
    findings: at('/etc/audit/auditd.conf'),
    ...{ before: 'disk_full_action = HALT\n', after: 'disk_full_action = SUSPEND\n' },
  },
  {
    ...{ repair: selinuxPolicy, path: '/etc/selinux/config' },
    ...{ before: 'SELINUX=enforcing\n', after: 'SELINUX=permissive\n' },
  },
  {
    ...{ repair: openSshPort, path: '/etc/iptables/rules.v4' },
    findings: at('/etc/iptables/rules.v4'),
    before: '*filter\n:INPUT DROP [0:0]\n',
    after: '*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n',
  },
  {
    ...{ repair: nsswitchHosts, path: '/etc/nsswitch.conf', findings: at('/etc/nsswitch.conf') },
    ...{ before: 'hosts:\n', after: 'hosts: files dns\n' },
  },
  {
    ...{ repair: nsswitchRepair, path: '/etc/nsswitch.conf', findings: at('/etc/nsswitch.conf') },
    ...{ before: 'passwd: sss\n', after: 'passwd: files sss\n' },
  },
  {
    ...{ repair: interfacesLine, path: '/etc/network/interfaces' },
    findings: at('/etc/network/interfaces'),
    ...{ before: 'iface a inet dchp\n', after: 'iface a inet dhcp\n' },
  },
  {
    ...{ repair: networkdSection, path: '/etc/systemd/network/a.network' },
    findings: at('/etc/systemd/network/a.network'),
    ...{ before: '[Macth]\n', after: '[Match]\n' },
  },
  {
    ...{ repair: unpinNames, path: '/etc/udev/rules.d/70-persistent-net.rules' },
    before: 'SUBSYSTEM=="net", ATTR{address}=="52:54:00:00:00:01", NAME="eth0"\n',
    after: 'SUBSYSTEM=="net", ATTR{address}=="?*", ATTR{type}=="1", NAME="eth0"\n',
  },
  {
    ...{ repair: preloadRepair, path: '/etc/ld.so.preload' },
    findings: at('/etc/ld.so.preload', 1, '/gone.so'),
    ...{ before: '/gone.so /a.so\n', after: '/a.so\n' },
  },
  {
    ...{ repair: inittabRepair, path: '/etc/inittab', findings: at('/etc/inittab') },
    ...{ before: 'id:6:initdefault:\n', after: 'id:2:initdefault:\n' },
  },
  {
    ...{ repair: unitFileRepair, path: '/etc/systemd/system/a.service.d/x.conf' },
    findings: at('/etc/systemd/system/a.service.d/x.conf', 2, 'a.service'),
    ...{ before: '[Service]\nExecStart=/gone\n', after: '[Service]\n#ExecStart=/gone\n' },
  },
  {
    ...{ repair: mendLines, path: '/etc/fstab' },
    before: '/dev/a /mnt/donn\xe9es ext4 defaults, noatime 0 0\n/dev/b /caf\xe9 ext4 sw 0 0\n',
    after: '/dev/a /mnt/donn\xe9es ext4 defaults,noatime 0 0\n/dev/b /caf\xe9 ext4 sw 0 0\n',
  },
];

describe('every byte outside of the edited lines stays', () => {
  test.each(cases)('$repair.id', async ({ repair, path, before, after, ...more }) => {
    const tree = {
      'bin/sh': { program: 'x' },
      [path]: Buffer.concat([latin1(before), rest]),
      ...more.tree,
    };
    const plan = await planOn(repair, tree, more.findings, toolsWithoutBench(more.wishes));
    expect(plan).toMatchObject({ kind: 'changes' });
    const written = bytesWrittenBy(plan, path);
    expect(written?.subarray(0, after.length).toString('latin1')).toBe(after);
    expect(written?.subarray(after.length).equals(rest)).toBe(true);
  });

  test('settings of grub-mkconfig', async () => {
    const path = '/etc/default/grub';
    const before = 'GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX="quiet single"\n';
    await using tree = await makeTree({ [path]: Buffer.concat([latin1(before), rest]) });
    const { files } = await subjectOf(tree.root);
    const edited = planned(await settingsEdited(files, withoutWords(['single'])));
    const set = await setDefault(files, 'GRUB_DEFAULT', '1');
    const texts = [edited, planned(set === null ? [] : [set])].map((plan) =>
      bytesWrittenBy(plan, path),
    );
    const wanted = [before.replace(' single', ''), before.replace('=0', '="1"')].map((text) =>
      Buffer.concat([latin1(text), rest]),
    );
    expect(texts.map((bytes, index) => bytes?.equals(wanted[index] ?? rest))).toEqual([true, true]);
  });

  test('the options of a line in crypttab', async () => {
    const path = '/etc/crypttab';
    const line = 'data /dev/gone /key\xe9 luks,header=/h\xe9';
    const tree = { [path]: Buffer.concat([latin1(`${line}\n`), rest]) };
    const plan = await planOn(crypttabNofail, tree, at(path, 1, 'data'));
    expect(
      bytesWrittenBy(plan, path)?.equals(Buffer.concat([latin1(`${line},nofail\n`), rest])),
    ).toBe(true);
  });

  test('a copy that takes the place of a file', async () => {
    const copy = { 'usr/share/openssh/sshd_config': rest, etc: { directory: true } as const };
    const plan = await planOn(restoreSshdConfig, copy);
    expect(bytesWrittenBy(plan, '/etc/ssh/sshd_config')?.equals(rest)).toBe(true);
  });
});

test('a block list of 1.8 MB in /etc/hosts keeps all its lines', async () => {
  const list = latin1('0.0.0.0 ads.example.org\n'.repeat(75_000));
  const tree = { 'etc/hosts': Buffer.concat([latin1('10.0.0.1 db\n'), list]) };
  const written = bytesWrittenBy(await planOn(hostsLocalhost, tree), '/etc/hosts');
  const wanted = Buffer.concat([latin1('127.0.0.1\tlocalhost\n10.0.0.1 db\n'), list]);
  expect(written?.equals(wanted)).toBe(true);
});

test('12000 authorized keys stay, and one is added', async () => {
  const keys = Array.from(
    { length: 12_000 },
    (_, index) =>
      `ssh-ed25519 ${'A'.repeat(60)}${String(index).padStart(8, '0')} key${index}@git\n`,
  ).join('');
  const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGtleWtleWtleWtleWtleQ me@laptop';
  const path = '/root/.ssh/authorized_keys';
  const tree = { 'etc/passwd': 'root:x:0:0::/root:/bin/sh\n', [path]: keys };
  const plan = await planOn(authorizedKey, tree, [], toolsWithoutBench({ authorizedKey: key }));
  expect(bytesWrittenBy(plan, path)?.equals(Buffer.from(`${keys}${key}\n`))).toBe(true);
});

test('a file that is too large to be edited is refused', async () => {
  const tree = { 'etc/hosts': { sizeBytes: 17 * 1024 * 1024 } };
  await expect(planOn(hostsLocalhost, tree)).rejects.toMatchObject({
    code: 'NOT_EDITED',
    hint: expect.stringContaining('by hand'),
  });
});
