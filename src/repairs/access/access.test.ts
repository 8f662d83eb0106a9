import { describe, expect, test } from 'vitest';
import { makeTree, type TreeEntry } from '../../../fixtures/make-tree.ts';
import { findingAt, planOn, toolsWithoutBench, writtenBy } from '../../../fixtures/repair-tools.ts';
import { answering, lookedAt, subjectOf } from '../../../fixtures/subject.ts';
import type { Change } from '../../changes/change.ts';
import type { Repair, RepairTools, RepairWishes } from '../repair.ts';
import { auditdSuspend } from './auditd.ts';
import { authorizedKey, withKey } from './authorized-keys.ts';
import { commentSshdLine } from './comment-sshd-line.ts';
import { makeHostKeys } from './host-keys.ts';
import { hostsDenyLine } from './let-in.ts';
import { openSshPort } from './open-ssh-port.ts';
import { pamLine, pamModuleOptional } from './pam.ts';
import { selinuxPolicy } from './selinux.ts';
import { accountExpiry, loginShell, rootPassword } from './shadow.ts';
import { sudoersBlock, sudoersLine } from './sudoers.ts';

describe('sshd_config', () => {
  const path = '/etc/ssh/sshd_config';
  const sshd = { 'usr/sbin/sshd': 'x' };

  test('only the refused line becomes a comment, line ends and all else stay', async () => {
    const text = '# mine\r\nUsePAM yes\r\n  Prot 22\r\nX11Forwarding no';
    const plan = await planOn(commentSshdLine, { ...sshd, 'etc/ssh/sshd_config': text }, [
      findingAt(path, 3),
    ]);
    expect(writtenBy(plan, path)).toBe('# mine\r\nUsePAM yes\r\n#  Prot 22\r\nX11Forwarding no');
  });

  test('with a Match line goes its block, up to the next one', async () => {
    const text = 'Match Usr a\n  PasswordAuthentication no\n\nMatch User b\n  PermitTTY no\n';
    const plan = await planOn(commentSshdLine, { ...sshd, 'etc/ssh/sshd_config': text }, [
      findingAt(path, 1),
    ]);
    expect(writtenBy(plan, path)).toBe(
      '#Match Usr a\n#  PasswordAuthentication no\n\nMatch User b\n  PermitTTY no\n',
    );
  });

  test('lines are taken out until sshd accepts the rest', async () => {
    await using tree = await makeTree({ ...sshd, 'etc/ssh/sshd_config': 'A\nPort 0\nUsePAM x\n' });
    const subject = await subjectOf(tree.root, {}, { runInside: answering(() => ({})) });
    const tried: string[] = [];
    const bench: RepairTools['bench'] = async (_, prepare = []) => {
      const text = writtenBy({ kind: 'changes', changes: prepare, commands: [] }, path);
      tried.push(text);
      const line = text.split('\n').findIndex((each) => !each.startsWith('#'));
      const done = text.split('\n')[line] === '';
      const stderr = done ? '' : `${path} line ${line + 1}: bad.\n`;
      return { results: [{ exitCode: done ? 0 : 255, stdout: '', stderr }], changes: [] };
    };
    const tools = { ...toolsWithoutBench(), bench };
    const plan = await commentSshdLine.plan(subject, [findingAt(path, 1)], tools);
    expect(writtenBy(plan, path)).toBe('#A\n#Port 0\n#UsePAM x\n');
    expect(tried).toHaveLength(3);
  });

  test('it refuses when sshd goes on refusing without a new place', async () => {
    await using tree = await makeTree({ ...sshd, 'etc/ssh/sshd_config': 'A\n' });
    const subject = await subjectOf(tree.root, {}, { runInside: answering(() => ({})) });
    const bench: RepairTools['bench'] = async () => ({
      results: [{ exitCode: 255, stdout: '', stderr: `${path} line 1: bad\n` }],
      changes: [],
    });
    const plan = await commentSshdLine.plan(subject, [findingAt(path, 1)], {
      ...toolsWithoutBench(),
      bench,
    });
    expect(plan.kind).toBe('refused');
  });
});

test('broken host keys go before new ones are made', async () => {
  const ran: (readonly string[])[] = [];
  const bench: RepairTools['bench'] = async (commands) => {
    ran.push(...commands.map(({ words }) => words));
    return { results: [{ exitCode: 0, stdout: '', stderr: '' }], changes: [] };
  };
  const key = '/etc/ssh/ssh_host_rsa_key';
  const plan = await planOn(
    makeHostKeys,
    { 'usr/bin/ssh-keygen': 'x' },
    [findingAt(key, null, key, 'access.host-key-broken')],
    { ...toolsWithoutBench(), bench },
  );
  expect(plan.kind).toBe('changes');
  expect(ran).toEqual([
    ['/bin/rm', '-f', key, `${key}.pub`],
    ['/usr/bin/ssh-keygen', '-A'],
  ]);
});

describe('shadow and passwd', () => {
  const shadow =
    'root:!$6$salt$hash:19000:0:90:7:30:18000:\nadmin:$6$a:19000:0:99999:7:30:18000:\n';
  const setRoot = (text: string, wishes: Partial<RepairWishes> = {}) =>
    planOn(rootPassword, { 'etc/shadow': text }, [], toolsWithoutBench(wishes));
  const today = Math.floor(lookedAt.getTime() / 86_400_000);

  test('a new password is set, and its age no longer ends the account', async () => {
    const plan = await setRoot(shadow, { rootPasswordHash: '$y$new' });
    expect(writtenBy(plan, '/etc/shadow')).toBe(
      `root:$y$new:${today}:0:90:7:::\nadmin:$6$a:19000:0:99999:7:30:18000:\n`,
    );
    const again = await setRoot(writtenBy(plan, '/etc/shadow'), { rootPasswordHash: '$y$new' });
    expect(again).toMatchObject({ kind: 'changes', changes: [] });
  });

  test('without a new one the lock is taken from the old one; with neither it refuses', async () => {
    expect(writtenBy(await setRoot(shadow), '/etc/shadow')).toMatch(/^root:\$6\$salt\$hash:/);
    expect((await setRoot('root:*:19000:0:99999:7:::\n')).kind).toBe('refused');
    expect((await setRoot(shadow, { rootPasswordHash: 'a:b\nc' })).kind).toBe('refused');
    expect((await setRoot('', { rootPasswordHash: '$y$new' })).kind).toBe('refused');
  });

  test('an expiry is emptied, and the password stays', async () => {
    const plan = await planOn(accountExpiry, { 'etc/shadow': shadow }, [
      findingAt('/etc/shadow', 2, 'admin'),
    ]);
    expect(writtenBy(plan, '/etc/shadow').split('\n')).toEqual([
      'root:!$6$salt$hash:19000:0:90:7:30:18000:',
      'admin:$6$a:19000:0:99999:7:::',
      '',
    ]);
  });

  test('a shell that is there takes the place of one that is not', async () => {
    const passwd = 'root:x:0:0:root:/root:/gone\nann:x:1:1::/:/gone\n';
    const tree = { 'etc/passwd': passwd, 'bin/sh': { program: 'x' } };
    const plan = await planOn(loginShell, tree, [findingAt('/etc/passwd', 1, 'root')]);
    expect(writtenBy(plan, '/etc/passwd')).toBe(
      'root:x:0:0:root:/root:/bin/sh\nann:x:1:1::/:/gone\n',
    );
  });
});

describe('an authorized key', () => {
  const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGtleWtleWtleWtleWtleWtleQ me@laptop';
  const tree = {
    'etc/passwd': 'root:x:0:0::/root:/bin/sh\nadmin:x:1000:1000::/home/admin:/bin/sh\n',
    'home/admin/file': '',
    'root/file': '',
  };
  const add = (entries: Readonly<Record<string, TreeEntry>>, wishes: Partial<RepairWishes>) =>
    planOn(authorizedKey, entries, [], toolsWithoutBench(wishes));
  const kinds = (changes: readonly Change[]) =>
    changes.map((change) => `${change.kind} ${'path' in change ? change.path : ''}`);

  test('the directory is made for it, with the account as owner', async () => {
    const plan = await add(tree, { authorizedKey: key, user: 'admin' });
    expect(plan.kind === 'changes' ? plan.changes.slice(0, 2) : plan).toEqual([
      {
        kind: 'make-directory',
        path: '/home/admin/.ssh',
        attributes: { mode: 0o700, uid: 1000, gid: 1000 },
      },
      {
        kind: 'write-file',
        path: '/home/admin/.ssh/authorized_keys',
        content: `${key}\n`,
        attributes: { mode: 0o600, uid: 1000, gid: 1000 },
      },
    ]);
  });

  test('the same key is there once, whatever its comment and options', async () => {
    const there = `from="10.0.0.1" ${key.replace('me@laptop', 'other')}\n`;
    expect(withKey(there, key)).toBe(there);
    expect(withKey(`#${key}\n`, key)).toBe(`#${key}\n${key}\n`);
    expect(withKey('ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ x', key)).toBe(
      `ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ x\n${key}\n`,
    );
    const plan = await add({ ...tree, 'root/.ssh/authorized_keys': there }, { authorizedKey: key });
    const writes = plan.kind === 'changes' ? kinds(plan.changes) : ['refused'];
    expect(writes.filter((each) => each.startsWith('write-file'))).toEqual([]);
  });

  test('no key, a private one and an unknown account are refused', async () => {
    expect((await add(tree, {})).kind).toBe('refused');
    const secret = '-----BEGIN OPENSSH PRIVATE KEY-----';
    expect((await add(tree, { authorizedKey: secret })).kind).toBe('refused');
    expect((await add(tree, { authorizedKey: key, user: 'nobody' })).kind).toBe('refused');
  });
});

describe('PAM and sudo', () => {
  const path = '/etc/pam.d/common-auth';
  const mend = (repair: Repair, text: string, line: number) =>
    planOn(repair, { 'etc/pam.d/common-auth': text }, [findingAt(path, line)]);

  test('a missing module becomes optional where it stands', async () => {
    const text = 'auth [success=1 default=ignore] pam_unix.so\nauth\trequired\tpam_otp.so x\n';
    expect(writtenBy(await mend(pamModuleOptional, text, 2), path)).toBe(
      'auth [success=1 default=ignore] pam_unix.so\nauth\toptional\tpam_otp.so x\n',
    );
    expect(writtenBy(await mend(pamModuleOptional, 'auth [default=die] pam_x.so\n', 1), path)).toBe(
      'auth optional pam_x.so\n',
    );
  });

  test('what carries the stack is not made optional', async () => {
    expect((await mend(pamModuleOptional, 'auth required pam_unix.so\n', 1)).kind).toBe('refused');
  });

  test('a slip is corrected, anything else refused', async () => {
    expect(writtenBy(await mend(pamLine, 'acount  requried pam_unix.so x\n', 1), path)).toBe(
      'account  required pam_unix.so x\n',
    );
    expect((await mend(pamLine, 'foo required pam_unix.so\n', 1)).kind).toBe('refused');
    expect((await mend(pamLine, 'auth\n', 1)).kind).toBe('refused');
  });

  test('a sudo rule becomes a comment with the lines that belong to it', async () => {
    const text = 'a ALL=(ALL) \\\n  NOPASSWD \\\n  x\nb ALL=(ALL) ALL\n';
    expect(sudoersBlock('', text, 2)).toEqual([1, 2, 3]);
    const plan = await planOn(sudoersLine, { 'etc/sudoers': text }, [findingAt('/etc/sudoers', 1)]);
    expect(writtenBy(plan, '/etc/sudoers')).toBe(
      '# a ALL=(ALL) \\\n#   NOPASSWD \\\n#   x\nb ALL=(ALL) ALL\n',
    );
  });
});

describe('the rest', () => {
  test('hosts.deny', async () => {
    const plan = await planOn(hostsDenyLine, { 'etc/hosts.deny': 'ALL: ALL\nx: y\n' }, [
      findingAt('/etc/hosts.deny', 1),
    ]);
    expect(writtenBy(plan, '/etc/hosts.deny')).toBe('#ALL: ALL\nx: y\n');
  });

  test('auditd', async () => {
    const path = '/etc/audit/auditd.conf';
    const text = 'disk_full_action = HALT\nspace_left = 75\n';
    const plan = await planOn(auditdSuspend, { 'etc/audit/auditd.conf': text }, [
      findingAt(path, 1),
    ]);
    expect(writtenBy(plan, path)).toBe('disk_full_action = SUSPEND\nspace_left = 75\n');
  });

  test('SELinux: the policy that is there, else permissive', async () => {
    const path = '/etc/selinux/config';
    const config = { 'etc/selinux/config': '# x\nSELINUX=enforcing\nSELINUXTYPE=targetted\n' };
    expect(writtenBy(await planOn(selinuxPolicy, config, []), path)).toBe(
      '# x\nSELINUX=permissive\nSELINUXTYPE=targetted\n',
    );
    const policy = { ...config, 'etc/selinux/targeted/policy/policy.33': 'x' };
    expect(writtenBy(await planOn(selinuxPolicy, policy, []), path)).toBe(
      '# x\nSELINUX=enforcing\nSELINUXTYPE=targeted\n',
    );
  });

  test.each([
    [
      '/etc/nftables.conf',
      'chain input {\n\ttype filter hook input priority 0; policy drop;\n\ttcp dport 80 accept\n}\n',
      'policy drop;\n\ttcp dport 22 accept\n\ttcp dport 80',
    ],
    [
      '/etc/iptables/rules.v4',
      '*filter\n:INPUT DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n',
      '[0:0]\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n-A INPUT -i lo',
    ],
    [
      '/etc/ufw/user.rules',
      '*filter\n### RULES ###\n\n### END RULES ###\n',
      '--dport 22 -j ACCEPT',
    ],
    ['/usr/lib/firewalld/zones/public.xml', '<zone>\n</zone>\n', '<service name="ssh"/>'],
  ])('%s gets a rule for ssh in front of the others', async (path, text, expected) => {
    const plan = await planOn(openSshPort, { [path]: text }, [findingAt(path, null)]);
    expect(writtenBy(plan, path.replace('/usr/lib/', '/etc/'))).toContain(expected);
  });
});
